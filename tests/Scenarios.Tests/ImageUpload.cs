using Google.Protobuf;
using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Scenarios.Tests;

/// <summary>One image for the administrator to upload, always with the same request id.</summary>
internal sealed class ImageUpload(OneProcess muster, byte[] content, byte[] signature)
{
    private const int ChunkBytes = 256 * 1024;

    /// <summary>Sends half of it, does <paramref name="then"/>, and requires that the call ends without an image.</summary>
    public async Task BreakOffAsync(Func<Task> then, CancellationToken cancellationToken)
    {
        using var channel = OperatorChannel.Open(muster);
        using var call = new Images.ImagesClient(channel).UploadImage(cancellationToken: cancellationToken);
        await WriteAsync(call, content.Length / 2, cancellationToken);
        await then();
        await Assert.ThrowsAsync<RpcException>(async () => await call);
    }

    /// <summary>All of it; the image's name.</summary>
    public async Task<string> SendAsync(CancellationToken cancellationToken)
    {
        using var channel = OperatorChannel.Open(muster);
        using var call = new Images.ImagesClient(channel).UploadImage(cancellationToken: cancellationToken);
        await WriteAsync(call, content.Length, cancellationToken);
        await call.RequestStream.CompleteAsync();
        return (await call).Name;
    }

    private async Task WriteAsync(
        AsyncClientStreamingCall<UploadImageRequest, Image> call, int bytes, CancellationToken cancellationToken)
    {
        var header = new UploadImageHeader
        {
            Parent = "tenants/default",
            RequestId = "crash-image",
            Image = new Image { Version = "12.11.78", Track = "active", SizeBytes = content.Length, Models = { "P3265-V" } },
            Signature = ByteString.CopyFrom(signature),
        };
        await call.RequestStream.WriteAsync(new UploadImageRequest { Header = header }, cancellationToken);
        foreach (var chunk in content.Take(bytes).Chunk(ChunkBytes))
        {
            await call.RequestStream.WriteAsync(new UploadImageRequest { Chunk = ByteString.CopyFrom(chunk) }, cancellationToken);
        }
    }
}
