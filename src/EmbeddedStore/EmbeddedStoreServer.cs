using System.Net.Sockets;
using Garnet;
using Garnet.server;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tsavorite.core;

namespace Muster.EmbeddedStore;

/// <summary>
/// A Redis-protocol server in this process, with its data in one folder. It replies from memory; what it replied survives
/// kill -9 only after <see cref="CommitAsync"/>. It listens on a Unix socket that only this user may open.
/// </summary>
public sealed class EmbeddedStoreServer : IAsyncDisposable
{
    /// <summary>sun_path holds 108 bytes with its terminating zero.</summary>
    private const int SocketPathCharactersMax = 100;

    /// <summary>Of 4 MiB each: millions of copies of keys, far above what 4,096 partitions leave between two checkpoints.</summary>
    private const int KeyPageCount = 64;

    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Commits are refused below this: what is under way is still written, operators can still pause a rollout, and a full disk never
    /// tears the log. A checkpoint looks for its room itself.
    /// </summary>
    private const long FreeBytesMin = 64 << 20;

    /// <summary>Asking the file system costs some microseconds; in this time less is written than is kept free.</summary>
    private static readonly TimeSpan RoomInterval = TimeSpan.FromMilliseconds(100);

    private readonly GarnetServer _server;
    private readonly StoreFolder _folder;
    private readonly LogTruncation _truncation;
    private readonly TimeProvider _clock;
    private readonly SharedLogCommit _commits;
    private readonly FileStream _lock;
    private readonly string? _socketFolder;
    private int _disposed;
    private long _roomLookedAt;
    private string? _shortage;
    private volatile string? _failure;

    private EmbeddedStoreServer(
        GarnetServer server, FileStream folderLock, string socketPath, string? socketFolder, StoreFolder folder, LogTruncation truncation)
    {
        _server = server;
        _lock = folderLock;
        _socketFolder = socketFolder;
        _folder = folder;
        _truncation = truncation;
        _clock = TimeProvider.System;
        _commits = new SharedLogCommit(CommitLogAsync);
        SocketPath = socketPath;
    }

    public string SocketPath { get; }

    /// <summary>In the form that StackExchange.Redis reads.</summary>
    public string ConnectionString => $"!{SocketPath}";

    /// <summary>Recovers what the folder holds and listens. Throws when another process has the folder open.</summary>
    public static EmbeddedStoreServer Start(string folder, ILoggerFactory? loggers = null) => Start(folder, LogLimits.Default, loggers);

    internal static EmbeddedStoreServer Start(string folder, LogLimits limits, ILoggerFactory? loggers)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.GetFullPath(folder);
        CreateFolder(folder);
        var folderLock = Lock(folder);
        string? socketFolder = null;
        GarnetServer? server = null;
        try
        {
            var socketPath = Path.Combine(folder, "store.sock");
            if (socketPath.Length > SocketPathCharactersMax)
            {
                socketFolder = Directory.CreateTempSubdirectory("muster-").FullName;
                socketPath = Path.Combine(socketFolder, "store.sock");
            }

            server = new GarnetServer(Options(folder, socketPath, limits), loggers);
            server.Start();
            var files = new StoreFolder(folder);
            var logger = (ILogger?)loggers?.CreateLogger<EmbeddedStoreServer>() ?? NullLogger.Instance;
            var truncation = new LogTruncation(files, socketPath, limits, TimeProvider.System, logger);
            return new EmbeddedStoreServer(server, folderLock, socketPath, socketFolder, files, truncation);
        }
        catch
        {
            server?.Dispose(deleteDir: false);
            Release(folderLock, socketFolder);
            throw;
        }
    }

    /// <summary>Why nothing more can be committed, in a sentence with folder and free space; null while there is room.</summary>
    public string? FindShortage()
    {
        if (_failure is { } failure)
        {
            return failure;
        }

        if (_clock.GetElapsedTime(Volatile.Read(ref _roomLookedAt)) >= RoomInterval)
        {
            Volatile.Write(ref _roomLookedAt, _clock.GetTimestamp());
            var free = _folder.FreeBytes;
            _shortage = free >= FreeBytesMin
                ? null
                : $"The disk is full: {_folder.Path} has {free >> 20} MiB free, and the store needs {FreeBytesMin >> 20}. "
                  + "Nothing is committed until there is room again.";
        }

        return _shortage;
    }

    /// <summary>
    /// Returns when everything that was answered before this call is in the log on disk. Callers that come while a commit
    /// runs share the next one.
    /// </summary>
    public Task CommitAsync(CancellationToken cancellationToken) => _commits.RunAsync().WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _truncation.Dispose();
        try
        {
            await _commits.RunAsync();
        }
        catch (CommitFailureException)
        {
            // Nobody was told that it is there.
        }

        _server.Dispose(deleteDir: false);
        Release(_lock, _socketFolder);
    }

    private async Task CommitLogAsync()
    {
        try
        {
            if (!await _server.Store.CommitAOFAsync(CancellationToken.None))
            {
                throw new InvalidOperationException("The embedded store has no log to commit.");
            }
        }
        catch (CommitFailureException fault)
        {
            // The log takes nothing more in this process, also when there is room again.
            _failure = $"The log in {_folder.Path} could not be written: {fault.InnerException?.Message ?? fault.Message}. "
                + "Nothing is committed any more. Make room and restart the host: everything that was acknowledged is there.";
            throw;
        }

        _truncation.Consider();
    }

    /// <summary>The folder's mode guards socket and log from the first moment; on Windows the user's profile does.</summary>
    private static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return;
        }

        Directory.CreateDirectory(folder, OwnerOnlyFolder);
        File.SetUnixFileMode(folder, OwnerOnlyFolder);
    }

    private static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, "lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new StoreInUseException($"The data in {folder} is in use by another process.", exception);
        }
    }

    private static void Release(FileStream folderLock, string? socketFolder)
    {
        folderLock.Dispose();
        if (socketFolder is not null)
        {
            Directory.Delete(socketFolder, recursive: true);
        }
    }

    private static GarnetServerOptions Options(string folder, string socketPath, LogLimits limits) => new()
    {
        EndPoints = [new UnixDomainSocketEndPoint(socketPath)],
        UnixSocketPath = socketPath,
        UnixSocketPermission = OwnerOnlyFile,
        QuietMode = true,
        CheckpointDir = folder,
        Recover = true,
        FailOnRecoveryError = true,
        EnableAOF = true,
        CommitFrequencyMs = -1,
        WaitForCommit = false,
        EnableLua = true,
        LuaTransactionMode = true,
        LuaOptions = new LuaOptions(),
        DeviceType = DeviceType.RandomAccess,

        // Nothing may be evicted: without the storage tier an evicted record is lost. So the memory of values is not limited; only "0"
        // says so, an empty text is 16 GiB. And pages of keys are never all in use: the server's log of keys only grows, by a copy of
        // every key that is written while a checkpoint is taken, and when its pages are full the oldest are dropped. The compaction
        // before each checkpoint copies what is alive on them to the end (ADR 0011): a tenth of the pages is written to, four
        // segments of one page may lie before it, the rest is room for what comes between two checkpoints.
        LogMemorySize = "0",
        PageSize = limits.KeyPageSize,
        PageCount = KeyPageCount,
        MutablePercent = 10,
        SegmentSize = limits.KeyPageSize,
        CompactionType = LogCompactionType.Lookup,
        CompactionMaxSegments = 4,
        IndexMemorySize = "8m",

        // One write has to fit into a page of the log, which has to be at least twice as large as a page of the store.
        AofPageSize = "8m",
        AofMemorySize = "64m",

        // What a checkpoint covers is taken away by segments.
        AofSegmentSize = "32m",
    };
}
