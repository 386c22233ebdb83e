using Muster.Domain.EndOfSupport;

namespace Muster.Domain.Images;

/// <summary>What is to be registered as an image.</summary>
/// <param name="Tenant">Whose catalogue.</param>
/// <param name="Digest">The digest that the bytes must have.</param>
/// <param name="Manifest">The publisher's statement.</param>
/// <param name="Signature">Detached CMS signature, DER.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.image-request")]
public sealed record ImageRequest(
    [property: Id(0)] TenantId Tenant,
    [property: Id(1)] ImageDigest Digest,
    [property: Id(2)] ImageManifest Manifest,
    [property: Id(3)] ImmutableArray<byte> Signature,
    [property: Id(4)] string RequestId);

/// <summary>Decides what becomes an image, and which device it may be offered to.</summary>
public static class ImageRules
{
    /// <summary>
    /// What is known before the bytes are read: a repetition gives the image, a bad request a refusal; neither means that the
    /// bytes have to be verified.
    /// </summary>
    public static Decision<Image?> Screen(Image? current, ImageRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (current is { State: ImageState.Published or ImageState.Verified })
        {
            var isRepetition = request.RequestId.Length > 0 && request.RequestId == current.RequestId;
            if (!isRepetition)
            {
                return Decision.Refuse<Image?>(current, ImageErrors.Exists(current.Digest));
            }

            return request.Manifest == current.Manifest
                ? Decision.Unchanged<Image?>(current)
                : Decision.Refuse<Image?>(current, RequestErrors.IdReused(request.RequestId));
        }

        return Check(request) is { } error ? Decision.Refuse(current, error) : Decision.Unchanged<Image?>(null);
    }

    /// <summary>The silo has read the bytes: only what it verified itself counts.</summary>
    public static Decision<Image?> Register(Image? current, ImageRequest request, ImageVerdict verdict, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        var screened = Screen(current, request);
        if (screened.Error is not null || screened.Next is not null)
        {
            return screened;
        }

        if (verdict.Content is { } content && content.Digest != request.Digest)
        {
            return Decision.Refuse(current, ImageErrors.DigestMismatch(request.Digest, content.Digest));
        }

        if (verdict is not { Content: { } read, Signer: { } signer, Error: null })
        {
            return Decision.Refuse(current, verdict.Error ?? ImageErrors.NotUploaded(request.Digest));
        }

        if (read.SizeBytes != request.Manifest.SizeBytes)
        {
            return Decision.Refuse(current, ImageErrors.SizeMismatch(request.Manifest.SizeBytes, read.SizeBytes));
        }

        var image = new Image
        {
            Tenant = request.Tenant,
            Digest = request.Digest,
            Manifest = request.Manifest,
            State = ImageState.Verified,
            Signature = request.Signature,
            Signer = signer,
            RequestId = request.RequestId,
            CreatedAt = now,
        };
        return Decision.Accept<Image?>(image, new ImageVerified(image.Digest, image.Manifest, signer));
    }

    /// <summary>The bytes of a verified image were made servable, or they were gone.</summary>
    public static Decision<Image> Publish(Image image, bool servable)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.State switch
        {
            ImageState.Published or ImageState.Lost => Decision.Unchanged(image),
            ImageState.Verified when servable => Decision.Accept(
                image with { State = ImageState.Published }, new ImagePublished(image.Digest, image.Manifest.Version)),
            ImageState.Verified => Decision.Accept(
                image with { State = ImageState.Lost }, new ImageLost(image.Digest, image.Manifest.Version)),
            ImageState.Unspecified or _ => throw new UnreachableException($"Image '{image.Digest}' has unknown state {image.State}."),
        };
    }

    /// <summary>
    /// Whether a device of a model and track may be offered the image; null when it may. Crossing tracks needs the rollout's word.
    /// </summary>
    public static FleetError? CheckOffer(Image image, string deviceModel, string deviceTrack, bool allowTrackChange)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.State != ImageState.Published)
        {
            return ImageErrors.NotFound(image.Digest.Value);
        }

        if (!image.Manifest.Models.Contains(deviceModel, StringComparer.Ordinal))
        {
            return ImageErrors.ModelNotCompatible(image.Digest, deviceModel);
        }

        return allowTrackChange || image.Manifest.Track.Value == deviceTrack
            ? null
            : ImageErrors.TrackMismatch(image.Manifest.Track, deviceTrack);
    }

    private static FleetError? Check(ImageRequest request)
    {
        var manifest = request.Manifest;
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

        if (request.Signature.IsDefaultOrEmpty)
        {
            return ImageErrors.SignatureMissing();
        }

        return request.Signature.Length > ImageManifest.SignatureBytesMax
            ? ImageErrors.SignatureInvalid($"it is longer than {ImageManifest.SignatureBytesMax} bytes")
            : null;
    }
}
