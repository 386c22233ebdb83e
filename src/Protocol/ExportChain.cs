using System.Security.Cryptography;

namespace Muster.Protocol;

/// <summary>
/// The running hash of an export (<c>ExportMark.sha256</c>): SHA-256 of the value before, 32 zero bytes at first, and the part. A part that
/// was lost, altered, or is out of its place changes every value behind it.
/// </summary>
public sealed class ExportChain
{
    private readonly byte[] _value = new byte[SHA256.HashSizeInBytes];

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> Value => _value;

    /// <summary>Goes on behind a mark.</summary>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public void Continue(ReadOnlySpan<byte> value)
    {
        if (value.Length != _value.Length)
        {
            throw new ArgumentException($"A value of the chain has {_value.Length} bytes.", nameof(value));
        }

        value.CopyTo(_value);
    }

    /// <summary>Adds a part as it was serialised. Marks are no part of the chain.</summary>
    public void Add(ReadOnlySpan<byte> part)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_value);
        hash.AppendData(part);
        hash.GetHashAndReset(_value);
    }
}
