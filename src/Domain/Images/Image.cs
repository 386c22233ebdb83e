namespace Muster.Domain.Images;

/// <summary>Where an image is.</summary>
public enum ImageState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The silo verified it; its bytes are not servable yet.</summary>
    Verified = 1,

    /// <summary>It may be offered and served.</summary>
    Published = 2,

    /// <summary>Its bytes vanished before they were servable; the same image may be registered again.</summary>
    Lost = 3,

    /// <summary>Verified and kept; it may be offered when it is published.</summary>
    Draft = 4,

    /// <summary>Terminal: it is neither offered nor served any more.</summary>
    Revoked = 5,
}

/// <summary>One image as committed. It is offered and served only while it is <see cref="ImageState.Published"/> (I10).</summary>
[GenerateSerializer, Immutable, Alias("muster.image")]
public sealed record Image
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ImageDigest Digest { get; init; }

    [Id(2)] public required ImageManifest Manifest { get; init; }

    [Id(3)] public required ImageState State { get; init; }

    /// <summary>Detached CMS signature (RFC 5652, DER): devices verify it themselves. Empty for a bundle, which holds its own.</summary>
    [Id(4)] public required ImmutableArray<byte> Signature { get; init; }

    [Id(5)] public required ImageSigner Signer { get; init; }

    /// <summary>The request id that registered it (AIP-155); may be empty.</summary>
    [Id(6)] public required string RequestId { get; init; }

    [Id(7)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Who uploaded it; null in records of earlier versions.</summary>
    [Id(8)] public Actor? UploadedBy { get; init; }

    /// <summary>Becomes a draft once its bytes are servable, and is not published at once.</summary>
    [Id(9)] public bool IsHeld { get; init; }

    /// <summary>Who wrote the statement as it is now, when that was not the upload.</summary>
    [Id(10)] public Actor? StatedBy { get; init; }

    /// <summary>Of a draft; those of another statement do not count.</summary>
    [Id(11)] public ImmutableArray<ImageApproval> Approvals { get; init; } = [];

    /// <summary>Null before, and in records of earlier versions.</summary>
    [Id(12)] public DateTimeOffset? PublishedAt { get; init; }

    [Id(13)] public ImageRevocation? Revocation { get; init; }

    /// <summary>What the silo found in a bundle; null of every other format.</summary>
    [Id(20)] public ImageBundle? Bundle { get; init; }

    /// <summary>The timestamp in the signature; null without one, or when no authority for timestamps is trusted.</summary>
    [Id(21)] public ImageTimestamp? Timestamp { get; init; }

    /// <summary>The approvals of this very statement.</summary>
    public IEnumerable<ImageApproval> ValidApprovals
    {
        get
        {
            var statement = Manifest.Fingerprint;
            return Approvals.Where(approval => approval.Statement == statement);
        }
    }
}

/// <summary>An operator approved that an image is published.</summary>
/// <param name="Approver">Who.</param>
/// <param name="At">When.</param>
/// <param name="Statement">The <see cref="ImageManifest.Fingerprint"/> of what he approved.</param>
[GenerateSerializer, Immutable, Alias("muster.image-approval")]
public sealed record ImageApproval(
    [property: Id(0)] Actor Approver,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] string Statement);

/// <summary>An operator revoked an image.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="At">When.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.image-revocation")]
public sealed record ImageRevocation(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string Reason,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] string RequestId)
{
    /// <summary>Offers of it fail in the store, in every partition; until then it is due.</summary>
    [Id(4)] public bool IsFenced { get; init; }
}
