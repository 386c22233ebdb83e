namespace Muster.Domain.Images;

/// <summary>How an image's file and its signature belong together.</summary>
public enum ImageFormat
{
    /// <summary>Any file with a detached CMS signature beside it; what every image was before there were bundles.</summary>
    Detached = 0,

    /// <summary>A RAUC bundle whose signature is over its file system. Its manifest is inside that, and nobody here reads it.</summary>
    RaucPlain = 1,

    /// <summary>A RAUC bundle whose signature is over its manifest, which names the root of a hash tree over every block.</summary>
    RaucVerity = 2,
}

/// <summary>What a RAUC bundle says of itself, under the publisher's signature.</summary>
/// <param name="Format">Plain or verity.</param>
/// <param name="Compatible">The systems that it is for; null of a plain bundle.</param>
/// <param name="Version">Its version; null of a plain bundle, and of one that states none.</param>
/// <param name="Slots">The images in it; empty of a plain bundle.</param>
[GenerateSerializer, Immutable, Alias("muster.image-bundle")]
public sealed record ImageBundle(
    [property: Id(0)] ImageFormat Format,
    [property: Id(1)] string? Compatible,
    [property: Id(2)] string? Version,
    [property: Id(3)] ImmutableArray<BundleSlot> Slots)
{
    /// <summary>A system has a boot loader, a kernel, a root and some more, perhaps in variants; the rest is room.</summary>
    public const int SlotsMax = 64;

    /// <summary>Longer than any seen, and a bound for records.</summary>
    public const int TextMax = 256;

    public bool Equals(ImageBundle? other) =>
        other is not null && Format == other.Format && Compatible == other.Compatible && Version == other.Version
        && Slots.AsSpan().SequenceEqual(other.Slots.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Format, Compatible, Version, Slots.Length);
}

/// <summary>One image inside a bundle.</summary>
/// <param name="Name">The class of slots that it is for, with its variant if it has one.</param>
/// <param name="FileName">Its file in the bundle; empty when a hook of the bundle brings the content.</param>
/// <param name="SizeBytes">The file's size; 0 without a file.</param>
/// <param name="Sha256">The file's digest, 64 lower-case hex digits; empty without a file.</param>
[GenerateSerializer, Immutable, Alias("muster.bundle-slot")]
public sealed record BundleSlot(
    [property: Id(0)] string Name,
    [property: Id(1)] string FileName,
    [property: Id(2)] long SizeBytes,
    [property: Id(3)] string Sha256);
