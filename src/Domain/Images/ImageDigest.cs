namespace Muster.Domain.Images;

/// <summary>The name of an image: SHA-256 (FIPS 180-4) of the file's bytes, 64 lower-case hex digits.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-digest")]
public readonly record struct ImageDigest : IComparable<ImageDigest>
{
    /// <summary>32 bytes, two hex digits each.</summary>
    public const int Length = 64;

    private ImageDigest(string value) => Value = value;

    [Id(0)]
    public string Value { get; private init; }

    public static bool TryParse([NotNullWhen(true)] string? text, out ImageDigest digest)
    {
        digest = default;
        if (text is not { Length: Length } || !text.All(char.IsAsciiHexDigitLower))
        {
            return false;
        }

        digest = new ImageDigest(text);
        return true;
    }

    /// <summary>The digest whose 32 bytes are given.</summary>
    public static ImageDigest Of(ReadOnlySpan<byte> sha256)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sha256.Length, Length / 2);
        return new ImageDigest(Convert.ToHexStringLower(sha256));
    }

    public int CompareTo(ImageDigest other) => string.CompareOrdinal(Value, other.Value);

    public static bool operator <(ImageDigest left, ImageDigest right) => left.CompareTo(right) < 0;

    public static bool operator >(ImageDigest left, ImageDigest right) => left.CompareTo(right) > 0;

    public static bool operator <=(ImageDigest left, ImageDigest right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ImageDigest left, ImageDigest right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value;
}
