using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Muster.EmbeddedStore;

/// <summary>
/// Takes a checkpoint when the log has grown to a third of the data, after which the server drops the log before it (ADR 0011). So the
/// folder holds the data once, twice while a checkpoint is taken, and a restart reads a third as much log again. Looked at when something
/// was committed: an idle store does nothing.
/// </summary>
internal sealed partial class LogTruncation(StoreFolder folder, string socketPath, LogLimits limits, TimeProvider clock, ILogger logger)
    : IDisposable
{
    /// <summary>A checkpoint writes the data once; half of it more is room for what is committed meanwhile.</summary>
    private const double CheckpointRoom = 1.5;

    private readonly Lock _gate = new();
    private long _lookedAt = clock.GetTimestamp();
    private bool _isRunning;
    private bool _isDisposed;

    /// <summary>Something was committed.</summary>
    public void Consider()
    {
        lock (_gate)
        {
            if (_isRunning || _isDisposed || clock.GetElapsedTime(_lookedAt) < limits.LookInterval)
            {
                return;
            }

            (_lookedAt, _isRunning) = (clock.GetTimestamp(), true);
        }

        _ = Task.Run(RunAsync);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }
    }

    private async Task RunAsync()
    {
        try
        {
            var (log, data) = (folder.LogBytes, folder.CheckpointBytes);
            if (log < Math.Max(limits.LogBytesMin, data * limits.LogToData))
            {
                return;
            }

            var needed = (long)(Math.Max(log, data) * CheckpointRoom);
            var free = folder.FreeBytes;
            if (free < needed)
            {
                LogNoRoom(folder.Path, log, free, needed);
                return;
            }

            var started = clock.GetTimestamp();
            await SaveAsync();
            var elapsed = clock.GetElapsedTime(started);
            var (logAfter, dataAfter) = (folder.LogBytes, folder.CheckpointBytes);
            LogTruncated(log, logAfter, dataAfter, elapsed);
        }
        catch (Exception fault) when (fault is IOException or SocketException or UnauthorizedAccessException)
        {
            LogFailed(fault, folder.Path);
        }
        finally
        {
            lock (_gate)
            {
                _lookedAt = clock.GetTimestamp();
                _isRunning = false;
            }
        }
    }

    /// <summary>Asks for a checkpoint and returns when its time is known: BGSAVE answers at once, LASTSAVE changes at the end.</summary>
    private async Task SaveAsync()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        var before = await AskAsync(socket, "LASTSAVE");

        // A second is the unit of LASTSAVE: two checkpoints within one would look like none.
        await Task.Delay(TimeSpan.FromSeconds(1), clock);
        await AskAsync(socket, "BGSAVE");
        for (var started = clock.GetTimestamp(); clock.GetElapsedTime(started) < limits.CheckpointTimeout;)
        {
            if (await AskAsync(socket, "LASTSAVE") != before)
            {
                return;
            }

            await Task.Delay(limits.PollInterval, clock);
        }

        throw new IOException($"The checkpoint did not end within {limits.CheckpointTimeout}.");
    }

    private static async Task<string> AskAsync(Socket socket, string command)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes($"*1\r\n${command.Length}\r\n{command}\r\n"));
        var answer = new byte[256];
        var length = await socket.ReceiveAsync(answer);
        return length > 0 ? Encoding.ASCII.GetString(answer, 0, length) : throw new IOException("The store closed the connection.");
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The store's log of {Before} bytes is truncated to {After}; the checkpoint has {Data} bytes and took {Elapsed}")]
    private partial void LogTruncated(long before, long after, long data, TimeSpan elapsed);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The log in {Folder} has {Log} bytes and cannot be truncated: {Free} bytes are free, a checkpoint needs {Needed}")]
    private partial void LogNoRoom(string folder, long log, long free, long needed);

    [LoggerMessage(Level = LogLevel.Error, Message = "The store's log in {Folder} could not be truncated; it is tried again")]
    private partial void LogFailed(Exception fault, string folder);
}

/// <summary>When the log is truncated, and pages of keys. The defaults are the product's; tests make checkpoints frequent.</summary>
/// <param name="LogBytesMin">Smaller logs are left alone: reading 64 MB at a start takes a fraction of a second.</param>
/// <param name="LogToData">How large the log may become, as a part of the data.</param>
/// <param name="LookInterval">How often sizes are looked at while something is committed: at 100 MB/s a fraction of the log.</param>
/// <param name="PollInterval">Of the end of a checkpoint.</param>
/// <param name="CheckpointTimeout">Far above what the largest takes; then it is tried again.</param>
/// <param name="KeyPageSize">Of the server's pages of keys, in its own notation; half a page of the log at most.</param>
internal sealed record LogLimits(
    long LogBytesMin, double LogToData, TimeSpan LookInterval, TimeSpan PollInterval, TimeSpan CheckpointTimeout, string KeyPageSize)
{
    /// <summary>
    /// A checkpoint after every megabyte, and pages of keys so small that a hundred checkpoints fill them: for tests of crashes in the
    /// middle of one, and of what many leave.
    /// </summary>
    public static LogLimits Frequent { get; } =
        new(1 << 20, 0, TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1), "4k");

    public static LogLimits Default { get; } =
        new(64 << 20, 1 / 3.0, TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(10), "4m");
}
