namespace Muster.Domain.Devices;

/// <summary>
/// The names of a <see cref="SettingSet"/> one after the other, in UTF-8. Devices of one model and version report the same names, and these
/// are three quarters of what they report.
/// </summary>
public sealed class SettingNames : IEquatable<SettingNames>
{
    private readonly byte[] _bytes;
    private readonly int _hash;

    internal SettingNames(byte[] bytes)
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        (_bytes, _hash) = (bytes, hash.ToHashCode());
    }

    internal ReadOnlySpan<byte> Bytes => _bytes;

    public bool Equals(SettingNames? other) =>
        ReferenceEquals(this, other) || (other is not null && _hash == other._hash && Bytes.SequenceEqual(other.Bytes));

    public override bool Equals(object? obj) => Equals(obj as SettingNames);

    public override int GetHashCode() => _hash;
}
