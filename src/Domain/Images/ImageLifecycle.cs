using Muster.Domain.Catalogues;
using Muster.Domain.Operators;

namespace Muster.Domain.Images;

/// <summary>Who approves a draft, and what he has seen.</summary>
/// <param name="Approver">Who.</param>
/// <param name="Roles">What he may do in this call.</param>
/// <param name="Etag">The fingerprint of the statement that he approves; may be empty where no approval is needed.</param>
/// <param name="ApprovalsNeeded">How many operators other than the author have to approve; 0 for none.</param>
/// <param name="Now">The time of the decision.</param>
public sealed record PublishOrder(
    Actor Approver, ImmutableArray<OperatorRole> Roles, string Etag, int ApprovalsNeeded, DateTimeOffset Now)
{
    /// <summary>What the tenant's catalogue says of the image.</summary>
    public CatalogueWord Word { get; init; } = CatalogueWord.None;
}

/// <summary>Decides what becomes of an image that exists: draft, published, revoked.</summary>
public static class ImageLifecycle
{
    /// <summary>As long as the reasons of rollouts.</summary>
    public const int ReasonCharactersMax = 500;

    /// <summary>A draft is stated anew. Approvals are bound to what they approved, so that they do not count any more.</summary>
    public static Decision<Image> Restate(
        Image image, ImageManifest manifest, Actor actor, CatalogueWord word, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(manifest);
        if (image.State != ImageState.Draft)
        {
            return Decision.Refuse(image, RefusalOf(image, "edited"));
        }

        var (next, contradiction) = CatalogueRules.Complete(
            image.Digest, OfTheSameFile(manifest, image.Manifest), word, now);
        if (contradiction is not null)
        {
            return Decision.Refuse(image, contradiction);
        }

        if (next == image.Manifest)
        {
            return Decision.Unchanged(image);
        }

        return (ImageRules.CheckStatement(next) ?? BundleRules.CheckContent(next, image.Bundle)) is { } error
            ? Decision.Refuse(image, error)
            : Decision.Accept(
                image with { Manifest = next, StatedBy = actor, Approvals = [] }, new ImageRestated(image.Digest, next));
    }

    /// <summary>
    /// An operator approves a draft; with the last approval that is needed it is published. Neither who uploaded it nor who wrote its
    /// statement counts. The same approval again changes nothing.
    /// </summary>
    public static Decision<Image> Approve(Image image, PublishOrder order)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(order);
        if (image.State == ImageState.Published)
        {
            return Decision.Unchanged(image);
        }

        if (image.State != ImageState.Draft)
        {
            return Decision.Refuse(image, RefusalOf(image, "published"));
        }

        if (Check(image, order) is { } error)
        {
            return Decision.Refuse(image, error);
        }

        var approvals = ImmutableArray.CreateRange(image.ValidApprovals);
        var isNew = approvals.All(approval => approval.Approver.Name != order.Approver.Name);
        var all = isNew ? approvals.Add(new ImageApproval(order.Approver, order.Now, image.Manifest.Fingerprint)) : approvals;
        if (all.Length >= order.ApprovalsNeeded)
        {
            var published = image with { State = ImageState.Published, Approvals = all, PublishedAt = order.Now };
            return Decision.Accept(
                published,
                new ImageApproved(image.Digest, image.Manifest.Version, all.Length, order.ApprovalsNeeded),
                new ImagePublished(image.Digest, image.Manifest.Version));
        }

        return isNew
            ? Decision.Accept(
                image with { Approvals = all },
                new ImageApproved(image.Digest, image.Manifest.Version, all.Length, order.ApprovalsNeeded))
            : Decision.Unchanged(image);
    }

    /// <summary>Withdraws an image for ever. Revoking it again changes nothing.</summary>
    public static Decision<Image> Revoke(Image image, ImageRevocation order)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(order);
        if (order.Reason.Length is 0 or > ReasonCharactersMax || string.IsNullOrWhiteSpace(order.Reason))
        {
            return Decision.Refuse(image, ImageErrors.FieldInvalid("reason", $"1 to {ReasonCharactersMax} characters that say why"));
        }

        switch (image.State)
        {
            case ImageState.Draft or ImageState.Published:
                return Decision.Accept(
                    image with { State = ImageState.Revoked, Revocation = order },
                    new ImageRevoked(image.Digest, image.Manifest.Version, order.Reason));
            case ImageState.Revoked:
                var isReused = order.RequestId.Length > 0 && image.Revocation is { } known
                    && known.RequestId == order.RequestId && known.Reason != order.Reason;
                return isReused ? Decision.Refuse(image, RequestErrors.IdReused(order.RequestId)) : Decision.Unchanged(image);
            case ImageState.Verified or ImageState.Lost:
                return Decision.Refuse(image, ImageErrors.NotFound(image.Digest.Value));
            case ImageState.Unspecified:
            default:
                throw new UnreachableException($"Image '{image.Digest}' has unknown state {image.State}.");
        }
    }

    /// <summary>The store refuses offers of the revoked image from now on.</summary>
    public static Decision<Image> Fence(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image is { State: ImageState.Revoked, Revocation: { IsFenced: false } revocation }
            ? Decision.Accept(
                image with { Revocation = revocation with { IsFenced = true } }, new ImageFenced(image.Digest, image.Manifest.Version))
            : Decision.Unchanged(image);
    }

    /// <summary>Whether an image may be offered and served; null when it may.</summary>
    public static FleetError? CheckUse(Image image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.State == ImageState.Published ? null : RefusalOf(image, "offered");
    }

    /// <summary>What the file says by itself is not stated anew.</summary>
    private static ImageManifest OfTheSameFile(ImageManifest stated, ImageManifest known) =>
        stated with { SizeBytes = known.SizeBytes, Format = known.Format, Compatible = known.Compatible };

    private static FleetError RefusalOf(Image image, string verb) => image.State switch
    {
        ImageState.Draft => ImageErrors.NotPublished(image.Digest),
        ImageState.Revoked => ImageErrors.Revoked(image),
        ImageState.Published => ImageErrors.WrongState(image, verb),
        ImageState.Verified or ImageState.Lost => ImageErrors.NotFound(image.Digest.Value),
        ImageState.Unspecified or _ => throw new UnreachableException($"Image '{image.Digest}' has unknown state {image.State}."),
    };

    private static FleetError? Check(Image image, PublishOrder order)
    {
        if (!order.Roles.Contains(OperatorRole.Approver))
        {
            return ImageErrors.ApproverRoleMissing(image.Digest, order.Approver.Name);
        }

        if (order.Etag.Length > 0 && order.Etag != image.Manifest.Fingerprint)
        {
            return ImageErrors.StatementChanged(image.Digest);
        }

        if (CatalogueRules.CheckPublication(image.Digest, image.Manifest, order.Word, order.Now) is { } unlisted)
        {
            return unlisted;
        }

        if (order.ApprovalsNeeded == 0)
        {
            return null;
        }

        if (order.Etag.Length == 0)
        {
            return ImageErrors.FieldInvalid("etag", "the one of the image as the approver has read it");
        }

        // A program that runs under the author's name is the author: names are compared, not kinds.
        return order.Approver.Name == image.UploadedBy?.Name || order.Approver.Name == image.StatedBy?.Name
            ? ImageErrors.ApproverIsAuthor(image.Digest, order.Approver.Name)
            : null;
    }
}
