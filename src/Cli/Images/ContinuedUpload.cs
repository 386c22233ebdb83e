using Grpc.Core;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

/// <summary>
/// Brings a file's bytes to the server, going on where an earlier call stopped: after a broken connection, a gateway that died, or a
/// command that was given up an hour ago.
/// </summary>
internal sealed class ContinuedUpload(V1.Images.ImagesClient images, string name, FileStream content, TextWriter said)
{
    /// <summary>A quarter of the largest chunk allowed: hides the round trip and costs little memory.</summary>
    private const int ChunkBytes = 256 * 1024;

    /// <summary>
    /// Calls that brought nothing, one after the other. With their pauses two minutes: a host that restarts is back by then.
    /// </summary>
    private const int AttemptsMax = 10;

    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(15);

    public async Task SendAsync(CancellationToken cancellationToken)
    {
        var (received, failed) = (0L, 0);
        while (true)
        {
            try
            {
                var before = received;
                received = await FindAsync(cancellationToken);
                if (received == content.Length)
                {
                    return;
                }

                failed = received > before ? 0 : failed;
                if (received > 0)
                {
                    await said.WriteLineAsync($"The upload goes on at byte {received} of {content.Length}.");
                }

                received = await AppendAsync(received, cancellationToken);
                if (received == content.Length)
                {
                    return;
                }
            }
            catch (RpcException fault) when (IsPassing(fault) && ++failed < AttemptsMax && !cancellationToken.IsCancellationRequested)
            {
                await said.WriteLineAsync($"The upload was interrupted ({fault.Status.Detail}); it goes on.");
                var pause = TimeSpan.FromSeconds(Math.Pow(2, failed - 1));
                await Task.Delay(pause < PauseMax ? pause : PauseMax, cancellationToken);
            }
        }
    }

    /// <summary>A connection that is gone, and what the server itself says passes.</summary>
    private static bool IsPassing(RpcException fault) =>
        fault.StatusCode is StatusCode.Unavailable or StatusCode.Aborted or StatusCode.Internal or StatusCode.DeadlineExceeded
            or StatusCode.Cancelled;

    private async Task<long> FindAsync(CancellationToken cancellationToken)
    {
        var request = new V1.GetUploadRequest { Name = name, SizeBytes = content.Length };
        return (await images.GetUploadAsync(request, cancellationToken: cancellationToken)).ReceivedBytes;
    }

    private async Task<long> AppendAsync(long offset, CancellationToken cancellationToken)
    {
        content.Position = offset;
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var call = images.AppendUpload(cancellationToken: cut.Token);
        var header = new V1.AppendUploadHeader { Name = name, SizeBytes = content.Length, Offset = offset };
        var chunks = UploadedFile.Chunks(content, ChunkBytes).Select(chunk => new V1.AppendUploadRequest { Chunk = chunk });
        await call.RequestStream.SendAsync(chunks.Prepend(new V1.AppendUploadRequest { Header = header }), cut);
        return (await call).ReceivedBytes;
    }
}
