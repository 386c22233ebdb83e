using Muster.Domain.Images;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Images;

/// <summary>What requests of the images service have to look like.</summary>
internal static class ImagesValidators
{
    /// <summary>Larger chunks only cost memory.</summary>
    public const int ChunkBytesMax = 1024 * 1024;

    private const int ModelLengthMax = 64;

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetImageRequest>((request, problems) => problems.ImageName("name", request.Name))
        .Add<V1.ListImagesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.UploadImageRequest>(CheckPart)
        .Add<V1.GetUploadRequest>((request, problems) => CheckUpload(request.Name, request.SizeBytes, problems))
        .Add<V1.AppendUploadRequest>(CheckPart)
        .Add<V1.UpdateImageRequest>(CheckUpdate)
        .Add<V1.PublishImageRequest>((request, problems) =>
        {
            problems.ImageName("name", request.Name);
            problems.Length("etag", request.Etag, 0, ImageDigest.Length);
        })
        .Add<V1.RevokeImageRequest>((request, problems) =>
        {
            problems.ImageName("name", request.Name);
            problems.Length("reason", request.Reason, 1, ImageLifecycle.ReasonCharactersMax);
            problems.RequestId(request.RequestId);
        });

    private static void CheckUpdate(V1.UpdateImageRequest request, Problems problems)
    {
        if (request.Image is not { } image)
        {
            problems.Add("image", "is required");
            return;
        }

        problems.ImageName("image.name", image.Name);
        CheckStatement(image, problems);
    }

    private static void CheckPart(V1.UploadImageRequest request, Problems problems)
    {
        switch (request.PartCase)
        {
            case V1.UploadImageRequest.PartOneofCase.Header:
                CheckHeader(request.Header, problems);
                break;
            case V1.UploadImageRequest.PartOneofCase.Chunk:
                problems.Require(request.Chunk.Length <= ChunkBytesMax, "chunk", $"at most {ChunkBytesMax} bytes");
                break;
            default:
                problems.Add("part", "header or chunk");
                break;
        }
    }

    private static void CheckPart(V1.AppendUploadRequest request, Problems problems)
    {
        switch (request.PartCase)
        {
            case V1.AppendUploadRequest.PartOneofCase.Header:
                CheckUpload(request.Header.Name, request.Header.SizeBytes, problems);
                problems.Require(
                    request.Header.Offset >= 0 && request.Header.Offset <= request.Header.SizeBytes, "offset", "0 to size_bytes");
                break;
            case V1.AppendUploadRequest.PartOneofCase.Chunk:
                problems.Require(request.Chunk.Length <= ChunkBytesMax, "chunk", $"at most {ChunkBytesMax} bytes");
                break;
            default:
                problems.Add("part", "header or chunk");
                break;
        }
    }

    private static void CheckUpload(string name, long sizeBytes, Problems problems)
    {
        problems.ImageName("name", name);
        problems.Require(
            sizeBytes is >= 1 and <= ImageManifest.SizeBytesMax, "size_bytes", $"1 to {ImageManifest.SizeBytesMax}, exactly the file's");
    }

    private static void CheckHeader(V1.UploadImageHeader header, Problems problems)
    {
        problems.Parent(header.Parent);
        problems.RequestId(header.RequestId);
        problems.Require(
            header.Signature.Length <= ImageManifest.SignatureBytesMax, "signature", $"at most {ImageManifest.SignatureBytesMax} bytes");
        if (header.Image is not { } image)
        {
            problems.Add("image", "is required");
            return;
        }

        if (image.Name.Length > 0)
        {
            problems.ImageName("image.name", image.Name);
        }

        CheckFormat(image, header.Signature.Length, problems);
        CheckStatement(image, problems);
        problems.Require(
            image.SizeBytes is >= 1 and <= ImageManifest.SizeBytesMax,
            "image.size_bytes",
            $"1 to {ImageManifest.SizeBytesMax}, exactly the file's");
    }

    /// <summary>What has to be read before the domain can judge it; how the parts fit together is for the domain.</summary>
    private static void CheckStatement(V1.Image image, Problems problems)
    {
        problems.Require(OsVersion.TryParse(image.Version, out _), "image.version", "numbers with dots between them, for example 12.11.77");
        problems.Require(ImageTrack.TryParse(image.Track, out _), "image.track", "active, or a long-term-support line such as 12.11");
        problems.Require(
            image.Models.Count is >= 1 and <= ImageManifest.ModelsMax
            && image.Models.All(model => model.Length is >= 1 and <= ModelLengthMax),
            "image.models",
            $"1 to {ImageManifest.ModelsMax} models of 1 to {ModelLengthMax} characters");
        CheckDay(image.ReleasedOn, "image.released_on", problems);
        CheckDay(image.SupportedFrom, "image.supported_from", problems);
        CheckDay(image.SupportedUntil, "image.supported_until", problems);
        problems.Require(
            image.Notes.Length <= ImageRelease.NotesCharactersMax,
            "image.notes",
            $"at most {ImageRelease.NotesCharactersMax} characters");
        problems.Require(
            image.FixedVulnerabilities.Count <= ImageRelease.FixedVulnerabilitiesMax
            && image.FixedVulnerabilities.All(ImageReleaseRules.IsVulnerability),
            "image.fixed_vulnerabilities",
            $"at most {ImageRelease.FixedVulnerabilitiesMax} ids such as CVE-2025-9524");
        problems.Require(
            image.RequiredSteps.Count <= ImageConditions.StepsMax,
            "image.required_steps",
            $"at most {ImageConditions.StepsMax} versions");
    }

    /// <summary>The domain says so too; here it is said before a byte of the file is sent.</summary>
    private static void CheckFormat(V1.Image image, int signatureBytes, Problems problems)
    {
        problems.Require(Enum.IsDefined(image.Format), "image.format", "CMS_DETACHED, RAUC_PLAIN or RAUC_VERITY");
        var isBundle = image.Format is V1.ImageFormat.RaucPlain or V1.ImageFormat.RaucVerity;
        problems.Require(!isBundle || signatureBytes == 0, "signature", "none: a bundle holds its own");
        if (image.Format == V1.ImageFormat.RaucVerity)
        {
            problems.Require(
                image.Compatible.Length is >= 1 and <= ImageBundle.TextMax,
                "image.compatible",
                $"what the bundle's manifest states, at most {ImageBundle.TextMax} characters");
        }
        else
        {
            problems.Require(image.Compatible.Length == 0, "image.compatible", "of a verity bundle alone: of others it cannot be verified");
        }
    }

    private static void CheckDay(string text, string field, Problems problems) =>
        problems.Require(text.Length == 0 || ApiValues.TryParseDay(text, out _), field, "a date such as 2026-09-01, or empty");
}
