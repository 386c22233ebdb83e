using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Images;

/// <summary>Images of the API and of the domain.</summary>
internal static class ImagesMapping
{
    public const string Collection = "images";

    public static ImageManifest ToManifest(V1.Image image) => new(
        image.Version,
        ImageTrack.TryParse(image.Track, out var track) ? track : throw new FormatException(image.Track),
        [.. image.Models.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        image.SizeBytes)
    {
        Stated = ToRelease(image),
        Format = ToFormat(image.Format),
        Compatible = image.Compatible.Length > 0 ? image.Compatible : null,
    };

    public static V1.Image ToApi(Image image, int approvalsNeeded)
    {
        var api = ToApi(ImageRow.Of(image) ?? throw new InvalidOperationException($"Image '{image.Digest}' is {image.State}."));
        api.UploadedBy = image.UploadedBy?.Name ?? "";
        api.StatedBy = image.StatedBy?.Name ?? "";
        api.PublishedAt = ApiValues.ToTimestamp(image.PublishedAt);
        api.ApprovalsNeeded = image.State == ImageState.Draft ? approvalsNeeded : 0;
        api.Approvals.AddRange(image.ValidApprovals.Select(approval => new V1.ImageApproval
        {
            Approver = approval.Approver.Name,
            ApprovedAt = ApiValues.ToTimestamp(approval.At),
        }));
        api.Revocation = image.Revocation is { } revocation
            ? new V1.ImageRevocation
            {
                Operator = revocation.Actor.Name,
                Reason = revocation.Reason,
                RevokedAt = ApiValues.ToTimestamp(revocation.At),
            }
            : null;
        api.Slots.AddRange((image.Bundle?.Slots ?? []).Select(slot => new V1.BundleSlot
        {
            Name = slot.Name,
            FileName = slot.FileName,
            SizeBytes = slot.SizeBytes,
            Sha256 = slot.Sha256,
        }));
        api.TimestampedAt = ApiValues.ToTimestamp(image.Timestamp?.At);
        api.TimestampAuthority = image.Timestamp?.Authority ?? "";
        return api;
    }

    /// <summary>What a list knows of an image.</summary>
    public static V1.Image ToApi(ImageRow row)
    {
        var api = ToApi(row.Tenant, row.Name, row.Manifest);
        api.Signer = row.Signer.Subject;
        api.SignerSha256 = row.Signer.CertificateSha256;
        api.CreatedAt = ApiValues.ToTimestamp(row.CreatedAt);
        api.State = ToApi(row.State);
        api.Etag = row.Manifest.Fingerprint;
        return api;
    }

    private static V1.ImageState ToApi(ImageState state) => state switch
    {
        ImageState.Draft => V1.ImageState.Draft,
        ImageState.Published => V1.ImageState.Published,
        ImageState.Revoked => V1.ImageState.Revoked,
        ImageState.Unspecified or ImageState.Verified or ImageState.Lost or _ =>
            throw new System.Diagnostics.UnreachableException($"An image that is {state} is not shown."),
    };

    /// <summary>What is stated of an image.</summary>
    public static V1.Image ToApi(TenantId tenant, string digest, ImageManifest manifest)
    {
        var (release, conditions) = (manifest.Release, manifest.Release.Conditions);
        var api = new V1.Image
        {
            Name = ResourceNames.Of(tenant, Collection, digest),
            Version = manifest.Version,
            Track = manifest.Track.Value,
            SizeBytes = manifest.SizeBytes,
            ReleasedOn = ToDay(release.ReleasedOn),
            Notes = release.Notes,
            MinFromVersion = conditions.MinFromVersion,
            SecurityFloor = conditions.SecurityFloor,
            Sbom = release.Sbom,
            SupportedFrom = ToDay(release.SupportedFrom),
            SupportedUntil = ToDay(release.SupportedUntil),
            Format = ToApi(manifest.Format),
            Compatible = manifest.Compatible ?? "",
        };
        api.Models.AddRange(manifest.Models);
        api.FixedVulnerabilities.AddRange(release.FixedVulnerabilities);
        api.RequiredSteps.AddRange(conditions.Steps);
        return api;
    }

    private static ImageFormat ToFormat(V1.ImageFormat format) => format switch
    {
        V1.ImageFormat.Unspecified or V1.ImageFormat.CmsDetached => ImageFormat.Detached,
        V1.ImageFormat.RaucPlain => ImageFormat.RaucPlain,
        V1.ImageFormat.RaucVerity => ImageFormat.RaucVerity,
        _ => throw new FormatException(format.ToString()),
    };

    private static V1.ImageFormat ToApi(ImageFormat format) => format switch
    {
        ImageFormat.Detached => V1.ImageFormat.CmsDetached,
        ImageFormat.RaucPlain => V1.ImageFormat.RaucPlain,
        ImageFormat.RaucVerity => V1.ImageFormat.RaucVerity,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown image format {format}."),
    };

    private static ImageRelease ToRelease(V1.Image image) => new()
    {
        ReleasedOn = OfDay(image.ReleasedOn),
        Notes = image.Notes,
        FixedVulnerabilities = [.. image.FixedVulnerabilities.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        Conditions = new ImageConditions
        {
            MinFromVersion = image.MinFromVersion,
            Steps = [.. image.RequiredSteps],
            SecurityFloor = image.SecurityFloor,
        },
        Sbom = image.Sbom,
        SupportedFrom = OfDay(image.SupportedFrom),
        SupportedUntil = OfDay(image.SupportedUntil),
    };

    private static string ToDay(DateOnly? day) => day is { } known ? ApiValues.ToDay(known) : "";

    private static DateOnly? OfDay(string text) => text.Length == 0
        ? null
        : ApiValues.TryParseDay(text, out var day) ? day : throw new FormatException(text);
}
