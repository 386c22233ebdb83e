namespace Muster.Domain.Images;

/// <summary>The silo verified an image under a trusted root.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-verified")]
public sealed record ImageVerified(
    [property: Id(0)] ImageDigest Digest,
    [property: Id(1)] ImageManifest Manifest,
    [property: Id(2)] ImageSigner Signer) : DomainEvent;

/// <summary>An image may be offered and served from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-published")]
public sealed record ImagePublished([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;

/// <summary>A verified image's bytes vanished before they were servable.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-lost")]
public sealed record ImageLost([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;

/// <summary>A verified image's bytes are kept; it is published by <c>PublishImage</c>.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-drafted")]
public sealed record ImageDrafted([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;

/// <summary>The statement of a draft is another one; approvals of the one before do not count.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-restated")]
public sealed record ImageRestated([property: Id(0)] ImageDigest Digest, [property: Id(1)] ImageManifest Manifest) : DomainEvent;

/// <summary>An operator approved that a draft is published.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-approved")]
public sealed record ImageApproved(
    [property: Id(0)] ImageDigest Digest,
    [property: Id(1)] string Version,
    [property: Id(2)] int Approvals,
    [property: Id(3)] int ApprovalsNeeded) : DomainEvent;

/// <summary>An operator revoked an image.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-revoked")]
public sealed record ImageRevoked(
    [property: Id(0)] ImageDigest Digest,
    [property: Id(1)] string Version,
    [property: Id(2)] string Reason) : DomainEvent;

/// <summary>No offer of the revoked image can be committed any more, in no partition.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-fenced")]
public sealed record ImageFenced([property: Id(0)] ImageDigest Digest, [property: Id(1)] string Version) : DomainEvent;
