using Muster.Domain.Identity;

namespace Muster.Domain.Anchors;

/// <summary>A certificate as a fact names it: the bytes stay in the record.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-certificate-name")]
public sealed record AnchorCertificateName([property: Id(0)] Sha256Hash Sha256, [property: Id(1)] string Subject);

/// <summary>Devices of a maker are believed from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-added")]
public sealed record AnchorAdded(
    [property: Id(0)] AnchorSpec Anchor,
    [property: Id(1)] ImmutableArray<AnchorCertificateName> Certificates) : DomainEvent;

/// <summary>A maker's anchor got further certificates.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-certificates-added")]
public sealed record AnchorCertificatesAdded(
    [property: Id(0)] ResourceId Anchor,
    [property: Id(1)] ImmutableArray<AnchorCertificateName> Certificates) : DomainEvent;

/// <summary>A certificate of a maker is not believed any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-certificate-removed")]
public sealed record AnchorCertificateRemoved(
    [property: Id(0)] ResourceId Anchor,
    [property: Id(1)] AnchorCertificateName Certificate) : DomainEvent;

/// <summary>A maker is not believed any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.anchor-removed")]
public sealed record AnchorRemoved(
    [property: Id(0)] AnchorSpec Anchor,
    [property: Id(1)] ImmutableArray<AnchorCertificateName> Certificates) : DomainEvent;
