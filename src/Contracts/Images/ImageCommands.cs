using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Operators;

namespace Muster.Contracts.Images;

/// <summary>Registers uploaded bytes as an image. The grain's key names tenant and digest.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
/// <param name="Manifest">The publisher's statement.</param>
/// <param name="Signature">Detached CMS signature over the file (RFC 5652, DER).</param>
[GenerateSerializer, Immutable, Alias("muster.register-image")]
public sealed record RegisterImage(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ImageManifest Manifest,
    [property: Id(3)] ImmutableArray<byte> Signature)
{
    /// <summary>It is not published at once, whatever the installation asks for.</summary>
    [Id(4)] public bool AsDraft { get; init; }
}

/// <summary>States a draft anew.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Manifest">The whole statement; the size stays the file's.</param>
[GenerateSerializer, Immutable, Alias("muster.update-image")]
public sealed record UpdateImage([property: Id(0)] Actor Actor, [property: Id(1)] ImageManifest Manifest);

/// <summary>Approves that a draft is published.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Roles">What he may do.</param>
/// <param name="Etag">The fingerprint of the statement that he has read.</param>
[GenerateSerializer, Immutable, Alias("muster.publish-image")]
public sealed record PublishImage(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles,
    [property: Id(2)] string Etag);

/// <summary>Revokes an image.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.revoke-image")]
public sealed record RevokeImage(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string Reason,
    [property: Id(2)] string RequestId);

/// <summary>The image, or why there is none.</summary>
[GenerateSerializer, Immutable, Alias("muster.image-reply")]
public sealed record ImageReply([property: Id(0)] Image? Image, [property: Id(1)] FleetError? Error)
{
    /// <summary>How many operators other than its author have to approve a draft here.</summary>
    [Id(2)] public int ApprovalsNeeded { get; init; }
}
