using System.Net.Sockets;
using Garnet;
using Garnet.server;
using Microsoft.Extensions.Logging;
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

    private const UnixFileMode OwnerOnlyFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly GarnetServer _server;
    private readonly SharedLogCommit _commits;
    private readonly FileStream _lock;
    private readonly string? _socketFolder;
    private int _disposed;

    private EmbeddedStoreServer(GarnetServer server, FileStream folderLock, string socketPath, string? socketFolder)
    {
        _server = server;
        _lock = folderLock;
        _socketFolder = socketFolder;
        _commits = new SharedLogCommit(async () =>
        {
            if (!await server.Store.CommitAOFAsync(CancellationToken.None))
            {
                throw new InvalidOperationException("The embedded store has no log to commit.");
            }
        });
        SocketPath = socketPath;
    }

    public string SocketPath { get; }

    /// <summary>In the form that StackExchange.Redis reads.</summary>
    public string ConnectionString => $"!{SocketPath}";

    /// <summary>Recovers what the folder holds and listens. Throws when another process has the folder open.</summary>
    public static EmbeddedStoreServer Start(string folder, ILoggerFactory? loggers = null)
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

            server = new GarnetServer(Options(folder, socketPath), loggers);
            server.Start();
            return new EmbeddedStoreServer(server, folderLock, socketPath, socketFolder);
        }
        catch
        {
            server?.Dispose(deleteDir: false);
            Release(folderLock, socketFolder);
            throw;
        }
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

        await _commits.RunAsync();
        _server.Dispose(deleteDir: false);
        Release(_lock, _socketFolder);
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

    private static GarnetServerOptions Options(string folder, string socketPath) => new()
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

        // Nothing may be evicted: without the storage tier an evicted page is lost. So pages are counted and the memory of
        // values is not limited; 64 pages of keys are far above 4,096 partitions, and values live outside of them.
        LogMemorySize = "",
        PageSize = "4m",
        PageCount = 64,
        IndexMemorySize = "8m",

        // One write has to fit into a page of the log, which has to be at least twice as large as a page of the store.
        AofPageSize = "8m",
        AofMemorySize = "64m",
        AofSegmentSize = "256m",
    };
}
