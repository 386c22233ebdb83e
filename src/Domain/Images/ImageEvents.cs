namespace Muster.Domain.Images;

/// <summary>The silo verified an image under a trusted root.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-verified")]
public sealed record ImageVerified(
    [property: Id(0)] ImageDigest Digest,
    [property: Id(1)] ImageManifest Manifest,
    [property: Id(2)] ImageSigner Signer) : DomainEvent;

/// <summary>A verified image's bytes became servable: it is in the catalogue.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-published")]
public sealed record ImagePublished([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;

/// <summary>A verified image's bytes vanished before they were servable.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-lost")]
public sealed record ImageLost([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;
