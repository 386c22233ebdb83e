using System.Buffers.Binary;

namespace Muster.Domain.Identity;

/// <summary>
/// A SHA-256 as its 32 bytes. As 64 hex digits in a string it takes five times that, in every device of a fleet and several times.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.sha256-hash")]
public readonly record struct Sha256Hash(
    [property: Id(0)] ulong First,
    [property: Id(1)] ulong Second,
    [property: Id(2)] ulong Third,
    [property: Id(3)] ulong Fourth)
{
    private const int Length = 32;

    public static Sha256Hash Of(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Length)
        {
            throw new ArgumentException($"A SHA-256 has {Length} bytes.", nameof(hash));
        }

        return new Sha256Hash(
            BinaryPrimitives.ReadUInt64BigEndian(hash),
            BinaryPrimitives.ReadUInt64BigEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(hash[16..]),
            BinaryPrimitives.ReadUInt64BigEndian(hash[24..]));
    }

    /// <summary>Reads 64 hex digits; false for anything else.</summary>
    public static bool TryParse(string? hex, out Sha256Hash hash)
    {
        Span<byte> bytes = stackalloc byte[Length];
        var isHash = hex?.Length == 2 * Length
            && Convert.FromHexString(hex, bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        hash = isHash ? Of(bytes) : default;
        return isHash;
    }

    /// <summary>Reads 64 hex digits.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static Sha256Hash Parse(string hex) =>
        TryParse(hex, out var hash) ? hash : throw new FormatException($"'{hex}' is no SHA-256 of {2 * Length} hex digits.");

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, First);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Second);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], Third);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], Fourth);
        return Convert.ToHexStringLower(bytes);
    }
}
