namespace Muster.Domain.Images;

/// <summary>
/// What the publisher states of an image. The signature covers the file's bytes alone; version, track and models are his word
/// until there is a signed catalogue.
/// </summary>
/// <param name="Version">As the vendor writes it; readable as <see cref="OsVersion"/>.</param>
/// <param name="Track">The track it belongs to.</param>
/// <param name="Models">The products it is for, each once, ordered by ordinal; at least one.</param>
/// <param name="SizeBytes">The exact length of the file.</param>
[GenerateSerializer, Immutable, Alias("muster.image-manifest")]
public sealed record ImageManifest(
    [property: Id(0)] string Version,
    [property: Id(1)] ImageTrack Track,
    [property: Id(2)] ImmutableArray<string> Models,
    [property: Id(3)] long SizeBytes)
{
    /// <summary>One image serves a product family; vendors list some dozens at most.</summary>
    public const int ModelsMax = 64;

    /// <summary>Four times the largest camera image known; bounds disk and the time of one verification.</summary>
    public const long SizeBytesMax = 1L << 30;

    /// <summary>A signature with a chain of three certificates takes 4 KiB; it travels with every offer.</summary>
    public const int SignatureBytesMax = 16 * 1024;

    public bool Equals(ImageManifest? other) =>
        other is not null && Version == other.Version && Track == other.Track && SizeBytes == other.SizeBytes
        && Models.AsSpan().SequenceEqual(other.Models.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Version, Track, SizeBytes, Models.Length);
}
