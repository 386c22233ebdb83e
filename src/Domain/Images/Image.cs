namespace Muster.Domain.Images;

/// <summary>Where an image is.</summary>
public enum ImageState
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>The silo verified it; its bytes are not servable yet.</summary>
    Verified = 1,

    /// <summary>In the catalogue: it may be offered and served.</summary>
    Published = 2,

    /// <summary>Its bytes vanished before they were servable; the same image may be registered again.</summary>
    Lost = 3,
}

/// <summary>One image as committed. It exists for others only when <see cref="ImageState.Published"/> (I10).</summary>
[GenerateSerializer, Immutable, Alias("muster.image")]
public sealed record Image
{
    [Id(0)] public required TenantId Tenant { get; init; }

    [Id(1)] public required ImageDigest Digest { get; init; }

    [Id(2)] public required ImageManifest Manifest { get; init; }

    [Id(3)] public required ImageState State { get; init; }

    /// <summary>Detached CMS signature (RFC 5652, DER): devices verify it themselves.</summary>
    [Id(4)] public required ImmutableArray<byte> Signature { get; init; }

    [Id(5)] public required ImageSigner Signer { get; init; }

    /// <summary>The request id that registered it (AIP-155); may be empty.</summary>
    [Id(6)] public required string RequestId { get; init; }

    [Id(7)] public required DateTimeOffset CreatedAt { get; init; }
}
