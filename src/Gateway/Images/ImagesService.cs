using System.Runtime.CompilerServices;
using Grpc.Core;
using Muster.Artifacts;
using Muster.Contracts;
using Muster.Contracts.Images;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Images;

/// <summary>The OS images of the API.</summary>
internal sealed class ImagesService(IGrainFactory grains, IArtifactStore artifacts, RowLister lister) : V1.Images.ImagesBase
{
    public override async Task<V1.Image> GetImage(V1.GetImageRequest request, ServerCallContext context)
    {
        var (tenant, digest) = ResourceNames.ImageOf(request.Name);
        return Answer(await grains.GetImage(tenant, digest).GetAsync());
    }

    public override async Task<V1.ListImagesResponse> ListImages(V1.ListImagesRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Image, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListImagesResponse { NextPageToken = page.NextPageToken };
        response.Images.AddRange(page.Rows.Select(row => ImagesMapping.ToApi((ImageRow)row.Row)));
        return response;
    }

    /// <summary>The bytes go to the stage; what they are is for the silo to find out.</summary>
    public override async Task<V1.Image> UploadImage(IAsyncStreamReader<V1.UploadImageRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Header is not { } header)
        {
            throw FleetErrors.Invalid([("header", "is the first message")]);
        }

        if (header.Signature.IsEmpty)
        {
            throw FleetErrors.ToRpcException(ImageErrors.SignatureMissing());
        }

        var tenant = ResourceNames.ParentOf(header.Parent);
        var chunks = ReadAsync(requestStream, context.CancellationToken);
        var staged = await artifacts.StageAsync(chunks, header.Image.SizeBytes, context.CancellationToken);
        if (staged.Content is not { } content)
        {
            throw FleetErrors.ToRpcException(staged.Error ?? ImageErrors.TooLarge(header.Image.SizeBytes));
        }

        if (header.Image.Name.Length > 0 && ResourceNames.ImageOf(header.Image.Name).Digest is var stated && stated != content.Digest)
        {
            throw FleetErrors.ToRpcException(ImageErrors.DigestMismatch(stated, content.Digest));
        }

        var command = new RegisterImage(
            Caller.Of(context).Actor, header.RequestId, ImagesMapping.ToManifest(header.Image), [.. header.Signature.Span]);
        return Answer(await grains.GetImage(tenant, content.Digest).RegisterAsync(command));
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IAsyncStreamReader<V1.UploadImageRequest> stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await stream.MoveNext(cancellationToken))
        {
            if (stream.Current.PartCase != V1.UploadImageRequest.PartOneofCase.Chunk)
            {
                throw FleetErrors.Invalid([("chunk", "is every message but the first")]);
            }

            yield return stream.Current.Chunk.Memory;
        }
    }

    private static V1.Image Answer(ImageReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Image: { } image } => ImagesMapping.ToApi(image),
        _ => throw new InvalidOperationException("Neither an image nor an error."),
    };
}

/// <summary>Images of the API and of the domain.</summary>
internal static class ImagesMapping
{
    public const string Collection = "images";

    public static ImageManifest ToManifest(V1.Image image) => new(
        image.Version,
        ImageTrack.TryParse(image.Track, out var track) ? track : throw new FormatException(image.Track),
        [.. image.Models.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        image.SizeBytes);

    public static V1.Image ToApi(Image image) => ToApi(image.Tenant, image.Digest.Value, image.Manifest, image.Signer, image.CreatedAt);

    public static V1.Image ToApi(ImageRow row) => ToApi(row.Tenant, row.Name, row.Manifest, row.Signer, row.CreatedAt);

    private static V1.Image ToApi(TenantId tenant, string digest, ImageManifest manifest, ImageSigner signer, DateTimeOffset createdAt)
    {
        var api = new V1.Image
        {
            Name = ResourceNames.Of(tenant, Collection, digest),
            Version = manifest.Version,
            Track = manifest.Track.Value,
            SizeBytes = manifest.SizeBytes,
            Signer = signer.Subject,
            SignerSha256 = signer.CertificateSha256,
            CreatedAt = ApiValues.ToTimestamp(createdAt),
        };
        api.Models.AddRange(manifest.Models);
        return api;
    }
}

/// <summary>What requests of the images service have to look like.</summary>
internal static class ImagesValidators
{
    /// <summary>Larger chunks only cost memory.</summary>
    public const int ChunkBytesMax = 1024 * 1024;

    private const int ModelLengthMax = 64;

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetImageRequest>((request, problems) => problems.ImageName("name", request.Name))
        .Add<V1.ListImagesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.UploadImageRequest>(CheckPart);

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

        problems.Require(OsVersion.TryParse(image.Version, out _), "image.version", "numbers with dots between them, for example 12.11.77");
        problems.Require(ImageTrack.TryParse(image.Track, out _), "image.track", "active, or a long-term-support line such as 12.11");
        problems.Require(
            image.Models.Count is >= 1 and <= ImageManifest.ModelsMax
            && image.Models.All(model => model.Length is >= 1 and <= ModelLengthMax),
            "image.models",
            $"1 to {ImageManifest.ModelsMax} models of 1 to {ModelLengthMax} characters");
        problems.Require(
            image.SizeBytes is >= 1 and <= ImageManifest.SizeBytesMax,
            "image.size_bytes",
            $"1 to {ImageManifest.SizeBytesMax}, exactly the file's");
    }
}
