using Muster.Domain.Images;

namespace Muster.Domain.Catalogues;

/// <summary>The publisher's signed list of releases, as a tenant imported it last.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue")]
public sealed record Catalogue
{
    /// <summary>Ten years of a dozen products with a release a month, two tracks each, and those that are still in use.</summary>
    public const int ReleasesMax = 512;

    /// <summary>Becomes one record, which may have a megabyte.</summary>
    public const int DocumentBytesMax = 512 * 1024;

    /// <summary>Grows with every catalogue; who has seen one takes no older one.</summary>
    [Id(0)] public required long Version { get; init; }

    [Id(1)] public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>From then on nothing is published by it.</summary>
    [Id(2)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>By digest, ascending.</summary>
    [Id(3)] public required ImmutableArray<CatalogueRelease> Releases { get; init; }

    /// <summary>SHA-256 of the document that was signed, 64 lower-case hex digits.</summary>
    [Id(4)] public required string DocumentSha256 { get; init; }

    [Id(5)] public required ImageSigner Signer { get; init; }

    [Id(6)] public required Actor ImportedBy { get; init; }

    [Id(7)] public required DateTimeOffset ImportedAt { get; init; }

    /// <summary>What it says of an image; null when it does not name it.</summary>
    public ImageManifest? Find(ImageDigest digest) => Releases.FirstOrDefault(release => release.Digest == digest)?.Manifest;
}

/// <summary>What a catalogue says of one image.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-release")]
public sealed record CatalogueRelease([property: Id(0)] ImageDigest Digest, [property: Id(1)] ImageManifest Manifest);

/// <summary>A tenant's catalogue and whether its images have to be in one.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-state")]
public sealed record CatalogueState
{
    /// <summary>No catalogue, and none is required.</summary>
    public static CatalogueState None { get; } = new();

    /// <summary>The one in force, also when it has expired: no older one takes its place. Null before the first.</summary>
    [Id(0)] public Catalogue? Catalogue { get; init; }

    /// <summary>Only images that the catalogue names may be published.</summary>
    [Id(1)] public bool IsRequired { get; init; }
}

/// <summary>What a tenant's catalogue has to do with one image.</summary>
/// <param name="Manifest">What it says of the image; null when it does not name it, or there is none.</param>
/// <param name="IsRequired">Only images that the catalogue names may be published.</param>
/// <param name="Version">Of the catalogue; 0 without one.</param>
/// <param name="ExpiresAt">When it ends; null without one.</param>
[GenerateSerializer, Immutable, Alias("muster.catalogue-word")]
public sealed record CatalogueWord(
    [property: Id(0)] ImageManifest? Manifest,
    [property: Id(1)] bool IsRequired,
    [property: Id(2)] long Version,
    [property: Id(3)] DateTimeOffset? ExpiresAt)
{
    /// <summary>No catalogue, and none is required.</summary>
    public static CatalogueWord None { get; } = new(null, false, 0, null);
}

/// <summary>A tenant took a newer catalogue.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-imported")]
public sealed record CatalogueImported(
    [property: Id(0)] long Version,
    [property: Id(1)] string DocumentSha256,
    [property: Id(2)] DateTimeOffset ExpiresAt,
    [property: Id(3)] int Releases,
    [property: Id(4)] ImageSigner Signer) : DomainEvent;

/// <summary>Images have to be in the catalogue to be published from now on, or need not any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-requirement-changed")]
public sealed record CatalogueRequirementChanged([property: Id(0)] bool IsRequired) : DomainEvent;
