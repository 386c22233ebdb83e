using Google.Protobuf;
using Grpc.Core;

namespace Muster.Cli.Session;

/// <summary>A file on its way to the server: what is wrong with the file is told here, what is on the way by the call's answer.</summary>
internal static class UploadedFile
{
    public static FileStream Open(FileInfo file, int bufferBytes = 4096)
    {
        try
        {
            return new FileStream(file.FullName, FileMode.Open, FileAccess.Read, FileShare.Read, bufferBytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot read '{file}': {exception.Message}", exception);
        }
    }

    public static IEnumerable<ByteString> Chunks(FileStream content, int chunkBytes)
    {
        var buffer = new byte[chunkBytes];
        for (int read; (read = content.Read(buffer)) > 0;)
        {
            yield return ByteString.CopyFrom(buffer, 0, read);
        }
    }

    /// <summary>
    /// Sends the parts and the end behind them. When the parts cannot be read the call is cut, so that nobody waits for its answer: what
    /// was sent is no whole file.
    /// </summary>
    public static async Task SendAsync<TRequest>(
        this IClientStreamWriter<TRequest> stream, IEnumerable<TRequest> parts, CancellationTokenSource cut)
    {
        using var part = parts.GetEnumerator();
        while (Next(part, cut))
        {
            if (!await SentAsync(stream.WriteAsync(part.Current, cut.Token)))
            {
                return;
            }
        }

        await SentAsync(stream.CompleteAsync());
    }

    /// <summary>False when the server has answered already, or is gone: the call's answer says why.</summary>
    private static async Task<bool> SentAsync(Task write)
    {
        try
        {
            await write;
            return true;
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException or IOException)
        {
            return false;
        }
    }

    private static bool Next<TRequest>(IEnumerator<TRequest> part, CancellationTokenSource cut)
    {
        try
        {
            return part.MoveNext();
        }
        catch
        {
            cut.Cancel();
            throw;
        }
    }
}
