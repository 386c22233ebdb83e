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
        return await CountedAsync(Answer(await grains.GetImage(tenant, digest).GetAsync()), tenant, digest, context);
    }

    public override async Task<V1.Image> UpdateImage(V1.UpdateImageRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Image.Name).UpdateAsync(
            new UpdateImage(Caller.Of(context).Actor, ImagesMapping.ToManifest(request.Image))));

    public override async Task<V1.Image> PublishImage(V1.PublishImageRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).PublishAsync(new PublishImage(caller.Actor, caller.Roles, request.Etag)));
    }

    public override async Task<V1.Image> RevokeImage(V1.RevokeImageRequest request, ServerCallContext context)
    {
        var (tenant, digest) = ResourceNames.ImageOf(request.Name);
        var order = new RevokeImage(Caller.Of(context).Actor, request.Reason, request.RequestId);
        return await CountedAsync(Answer(await grains.GetImage(tenant, digest).RevokeAsync(order)), tenant, digest, context);
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

        var manifest = ImagesMapping.ToManifest(header.Image);
        if (header.Signature.IsEmpty && manifest.Format == ImageFormat.Detached)
        {
            throw FleetErrors.ToRpcException(ImageErrors.SignatureMissing());
        }

        var tenant = ResourceNames.ParentOf(header.Parent);
        var digest = await StageAsync(header, requestStream, context.CancellationToken);
        var command = new RegisterImage(
            Caller.Of(context).Actor, header.RequestId, manifest, [.. header.Signature.Span])
        {
            AsDraft = header.Draft,
        };
        return Answer(await grains.GetImage(tenant, digest).RegisterAsync(command));
    }

    public override async Task<V1.Upload> GetUpload(V1.GetUploadRequest request, ServerCallContext context)
    {
        var upload = UploadOf(request.Name, request.SizeBytes);
        return Answer(request.Name, upload, await artifacts.GetReceivedAsync(upload, context.CancellationToken));
    }

    public override async Task<V1.Upload> AppendUpload(
        IAsyncStreamReader<V1.AppendUploadRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Header is not { } header)
        {
            throw FleetErrors.Invalid([("header", "is the first message")]);
        }

        var upload = UploadOf(header.Name, header.SizeBytes);
        var chunks = ReadAsync(requestStream, context.CancellationToken);
        var progress = await artifacts.AppendAsync(upload, header.Offset, chunks, context.CancellationToken);
        return progress.Error is { } error
            ? throw FleetErrors.ToRpcException(error)
            : Answer(header.Name, upload, progress.ReceivedBytes);
    }

    /// <summary>
    /// The digest of what is staged: of the chunks that come, or of what earlier calls brought. Whether it is there the silo sees.
    /// </summary>
    private async Task<ImageDigest> StageAsync(
        V1.UploadImageHeader header, IAsyncStreamReader<V1.UploadImageRequest> requestStream, CancellationToken cancellationToken)
    {
        var hasChunks = await requestStream.MoveNext(cancellationToken);
        ImageDigest? stated = header.Image.Name.Length > 0 ? ResourceNames.ImageOf(header.Image.Name).Digest : null;
        if (!hasChunks && stated is { } brought)
        {
            return brought;
        }

        var chunks = ReadAsync(requestStream, hasChunks, cancellationToken);
        var staged = await artifacts.StageAsync(chunks, header.Image.SizeBytes, cancellationToken);
        if (staged.Content is not { } content)
        {
            throw FleetErrors.ToRpcException(staged.Error ?? ImageErrors.TooLarge(header.Image.SizeBytes));
        }

        return stated is null || stated == content.Digest
            ? content.Digest
            : throw FleetErrors.ToRpcException(ImageErrors.DigestMismatch(stated.Value, content.Digest));
    }

    private static UploadKey UploadOf(string name, long sizeBytes)
    {
        var (tenant, digest) = ResourceNames.ImageOf(name);
        return new UploadKey(tenant, digest, sizeBytes);
    }

    private static V1.Upload Answer(string name, UploadKey upload, long received) =>
        new() { Name = name, SizeBytes = upload.SizeBytes, ReceivedBytes = received };

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IAsyncStreamReader<V1.AppendUploadRequest> stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await stream.MoveNext(cancellationToken))
        {
            if (stream.Current.PartCase != V1.AppendUploadRequest.PartOneofCase.Chunk)
            {
                throw FleetErrors.Invalid([("chunk", "is every message but the first")]);
            }

            yield return stream.Current.Chunk.Memory;
        }
    }

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IAsyncStreamReader<V1.UploadImageRequest> stream, bool isAtOne, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (; isAtOne; isAtOne = await stream.MoveNext(cancellationToken))
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
        { Image: { } image } => ImagesMapping.ToApi(image, reply.ApprovalsNeeded),
        _ => throw new InvalidOperationException("Neither an image nor an error."),
    };

    /// <summary>With the number of devices that run it: whoever looks at one image, or revokes it, asks that next.</summary>
    private async Task<V1.Image> CountedAsync(V1.Image image, TenantId tenant, ImageDigest digest, ServerCallContext context)
    {
        var running = new Listing(tenant, GrainTypes.Device, $"image_digest = {digest}");
        image.DevicesRunning = (await lister.CountAsync(running, "", context.CancellationToken)).Total;
        return image;
    }

    private IImageGrain GrainOf(string name)
    {
        var (tenant, digest) = ResourceNames.ImageOf(name);
        return grains.GetImage(tenant, digest);
    }
}
