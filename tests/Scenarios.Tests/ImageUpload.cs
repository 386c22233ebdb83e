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

    /// <summary>
    /// Sends half of it as an upload that is continued, does <paramref name="then"/>, and requires that the call breaks off. What the
    /// server has of it afterwards.
    /// </summary>
    public async Task<long> BreakOffContinuedAsync(string name, Func<Task> then, CancellationToken cancellationToken)
    {
        using (var channel = OperatorChannel.Open(muster))
        {
            using var call = new Images.ImagesClient(channel).AppendUpload(cancellationToken: cancellationToken);
            var header = new AppendUploadHeader { Name = name, SizeBytes = content.Length };
            await call.RequestStream.WriteAsync(new AppendUploadRequest { Header = header }, cancellationToken);
            foreach (var chunk in content.Take(content.Length / 2).Chunk(ChunkBytes))
            {
                await call.RequestStream.WriteAsync(new AppendUploadRequest { Chunk = ByteString.CopyFrom(chunk) }, cancellationToken);
            }

            await UntilReceivedAsync(name, content.Length / 2, cancellationToken);
            await then();
            await Assert.ThrowsAsync<RpcException>(async () => await call);
        }

        return await ReceivedAsync(name, cancellationToken);
    }

    private async Task UntilReceivedAsync(string name, long bytes, CancellationToken cancellationToken)
    {
        while (await ReceivedAsync(name, cancellationToken) < bytes)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    private async Task<long> ReceivedAsync(string name, CancellationToken cancellationToken)
    {
        using var channel = OperatorChannel.Open(muster);
        var request = new GetUploadRequest { Name = name, SizeBytes = content.Length };
        return (await new Images.ImagesClient(channel).GetUploadAsync(request, cancellationToken: cancellationToken)).ReceivedBytes;
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
