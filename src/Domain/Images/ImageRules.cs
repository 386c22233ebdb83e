using Muster.Domain.Catalogues;
using Muster.Domain.EndOfSupport;

namespace Muster.Domain.Images;

/// <summary>What is to be registered as an image.</summary>
/// <param name="Tenant">Whose catalogue.</param>
/// <param name="Digest">The digest that the bytes must have.</param>
/// <param name="Manifest">The publisher's statement.</param>
/// <param name="Signature">Detached CMS signature, DER; empty for a bundle.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.image-request")]
public sealed record ImageRequest(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] ImageDigest Digest,
    [property: Id(2)] ImageManifest Manifest,
    [property: Id(3)] ImmutableArray<byte> Signature,
    [property: Id(4)] string RequestId)
{
    /// <summary>Who uploads it.</summary>
    [Id(5)] public Actor? UploadedBy { get; init; }

    /// <summary>It is to be a draft, because the caller or the installation says so.</summary>
    [Id(6)] public bool IsHeld { get; init; }

    /// <summary>What the tenant's catalogue says of it.</summary>
    [Id(7)] public CatalogueWord Word { get; init; } = CatalogueWord.None;
}

/// <summary>Decides what becomes an image, and which device it may be offered to.</summary>
public static class ImageRules
{
    /// <summary>
    /// What is known before the bytes are read: a repetition gives the image, a bad request a refusal; neither means that the
    /// bytes have to be verified.
    /// </summary>
    public static Decision<Image?> Screen(Image? current, ImageRequest request, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (current is { State: ImageState.Revoked })
        {
            return Decision.Refuse<Image?>(current, ImageErrors.Revoked(current));
        }

        if (current is { State: ImageState.Published or ImageState.Verified or ImageState.Draft })
        {
            var isRepetition = request.RequestId.Length > 0 && request.RequestId == current.RequestId;
            if (!isRepetition)
            {
                return Decision.Refuse<Image?>(current, ImageErrors.Exists(current.Digest));
            }

            return IsSame(request, current, now)
                ? Decision.Unchanged<Image?>(current)
                : Decision.Refuse<Image?>(current, RequestErrors.IdReused(request.RequestId));
        }

        return (Check(request) ?? CheckCatalogue(request, now)) is { } error
            ? Decision.Refuse(current, error)
            : Decision.Unchanged<Image?>(null);
    }

    /// <summary>The silo has read the bytes: only what it verified itself counts.</summary>
    public static Decision<Image?> Register(Image? current, ImageRequest request, ImageVerdict verdict, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        var screened = Screen(current, request, now);
        if (screened.Error is not null || screened.Next is not null)
        {
            return screened;
        }

        if (CheckContent(request.Digest, request.Manifest, verdict) is { } error)
        {
            return Decision.Refuse(current, error);
        }

        var signer = verdict.Signer!;
        var image = new Image
        {
            Tenant = request.Tenant,
            Digest = request.Digest,
            Manifest = CatalogueRules.Complete(request.Digest, request.Manifest, request.Word, now).Manifest,
            State = ImageState.Verified,
            Signature = request.Signature,
            Signer = signer,
            RequestId = request.RequestId,
            CreatedAt = now,
            UploadedBy = request.UploadedBy,
            IsHeld = request.IsHeld,
            Bundle = verdict.Bundle,
            Timestamp = verdict.Timestamp,
        };
        return Decision.Accept<Image?>(image, new ImageVerified(image.Digest, image.Manifest, signer));
    }

    /// <summary>An image from another installation, with what this one found in the same bytes.</summary>
    public static Image Describe(Image image, ImageVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(verdict);
        var signer = verdict.Signer ?? throw new ArgumentException("Only what was verified is described.", nameof(verdict));
        return image with { Signer = signer, Bundle = verdict.Bundle, Timestamp = verdict.Timestamp };
    }

    /// <summary>Null when the silo read and verified what is stated.</summary>
    public static FleetError? CheckContent(ImageDigest digest, ImageManifest manifest, ImageVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(verdict);
        if (verdict.Content is { } content && content.Digest != digest)
        {
            return ImageErrors.DigestMismatch(digest, content.Digest);
        }

        if (verdict is not { Content: { } read, Signer: not null, Error: null })
        {
            return verdict.Error ?? ImageErrors.NotUploaded(digest);
        }

        return read.SizeBytes == manifest.SizeBytes
            ? BundleRules.CheckContent(manifest, verdict.Bundle)
            : ImageErrors.SizeMismatch(manifest.SizeBytes, read.SizeBytes);
    }

    /// <summary>
    /// The bytes of a verified image were made servable, or they were gone. What the catalogue, or the approvals that are needed, let be
    /// published when it was registered and do not any more becomes a draft.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="servable">Whether they were.</param>
    /// <param name="word">What the tenant's catalogue says of it now.</param>
    /// <param name="approvalsNeeded">How many operators have to approve now; 0 for none.</param>
    /// <param name="now">The time of the decision.</param>
    public static Decision<Image> Keep(Image image, bool servable, CatalogueWord word, int approvalsNeeded, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(image);
        var isHeld = image.IsHeld
            || approvalsNeeded > 0
            || CatalogueRules.CheckPublication(image.Digest, image.Manifest, word, now) is not null;
        return image.State switch
        {
            ImageState.Published or ImageState.Lost or ImageState.Draft or ImageState.Revoked => Decision.Unchanged(image),
            ImageState.Verified when servable && isHeld => Decision.Accept(
                image with { State = ImageState.Draft, IsHeld = true }, new ImageDrafted(image.Digest, image.Manifest.Version)),
            ImageState.Verified when servable => Decision.Accept(
                image with { State = ImageState.Published, PublishedAt = now }, new ImagePublished(image.Digest, image.Manifest.Version)),
            ImageState.Verified => Decision.Accept(
                image with { State = ImageState.Lost }, new ImageLost(image.Digest, image.Manifest.Version)),
            ImageState.Unspecified or _ => throw new UnreachableException($"Image '{image.Digest}' has unknown state {image.State}."),
        };
    }

    // What was edited since, or what the catalogue added, is no other request.
    private static bool IsSame(ImageRequest request, Image current, DateTimeOffset now) =>
        request.Manifest == current.Manifest
        || current.StatedBy is not null
        || CatalogueRules.Complete(request.Digest, request.Manifest, request.Word, now).Manifest == current.Manifest;

    /// <summary>A draft may wait for its catalogue; what is published at once may not.</summary>
    private static FleetError? CheckCatalogue(ImageRequest request, DateTimeOffset now)
    {
        var (manifest, contradiction) = CatalogueRules.Complete(request.Digest, request.Manifest, request.Word, now);
        return contradiction is not null || request.IsHeld
            ? contradiction
            : CatalogueRules.CheckPublication(request.Digest, manifest, request.Word, now);
    }

    /// <summary>Whether what is stated makes sense; null when it does.</summary>
    public static FleetError? CheckStatement(ImageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (!OsVersion.TryParse(manifest.Version, out var version))
        {
            return ImageErrors.FieldInvalid("version", "numbers with dots, as in 12.11.77");
        }

        if (manifest.Track.Value is null || !manifest.Track.Carries(version))
        {
            return ImageErrors.FieldInvalid("track", "active, or the first two numbers of the version");
        }

        if (manifest.Models.IsDefault || manifest.Models.Length is 0 or > ImageManifest.ModelsMax
            || manifest.Models.Distinct(StringComparer.Ordinal).Count() != manifest.Models.Length
            || !manifest.Models.All(model => ProductId.TryParse(model, out _)))
        {
            return ImageErrors.FieldInvalid("models", $"1 to {ImageManifest.ModelsMax} names of products, each once");
        }

        if (manifest.SizeBytes <= 0)
        {
            return ImageErrors.FieldInvalid("size_bytes", "at least 1");
        }

        if (manifest.SizeBytes > ImageManifest.SizeBytesMax)
        {
            return ImageErrors.TooLarge(ImageManifest.SizeBytesMax);
        }

        return ImageReleaseRules.Check(manifest.Release, version, manifest.Track);
    }

    private static FleetError? Check(ImageRequest request) => CheckStatement(request.Manifest) ?? BundleRules.CheckRequest(request);
}
