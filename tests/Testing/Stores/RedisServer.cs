using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace Muster.Testing.Stores;

/// <summary>Debian's redis-server as a child process on a free port of loopback, with its data in a folder of its own.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private const string Program = "/usr/bin/redis-server";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);

    private readonly string _appendFsync;
    private readonly string? _password;
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-redis-");
    private Process? _process;

    private RedisServer(string appendFsync, string? password)
    {
        (_appendFsync, _password) = (appendFsync, password);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public int Port { get; }

    private DirectoryInfo LogFolder => new(Path.Combine(_folder.FullName, "appendonlydir"));

    public string ConnectionString =>
        string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}{(_password is null ? "" : $",password={_password}")}");

    /// <param name="appendFsync"><c>always</c>, <c>everysec</c> or <c>no</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="password">What it asks clients for (requirepass); null for nothing.</param>
    public static async Task<RedisServer> StartAsync(string appendFsync, CancellationToken cancellationToken, string? password = null)
    {
        if (!File.Exists(Program))
        {
            throw new InvalidOperationException(
                $"These tests need {Program} and it is not there. ./test installs it; by hand: apt-get install redis-server.");
        }

        var server = new RedisServer(appendFsync, password);
        await server.LaunchAsync(cancellationToken);
        return server;
    }

    /// <summary>kill -9: nothing that the server holds in memory reaches the disk.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Starts again on the same port with the same data.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        await KillAsync(cancellationToken);
        await LaunchAsync(cancellationToken);
    }

    /// <summary>It takes connections and requests, and answers nothing.</summary>
    public Task HangAsync(CancellationToken cancellationToken) => SignalAsync("STOP", cancellationToken);

    /// <summary>It answers again, first what it was asked meanwhile.</summary>
    public Task GoOnAsync(CancellationToken cancellationToken) => SignalAsync("CONT", cancellationToken);

    /// <summary>A copy of its log as it is on the disk now, as a backup has it.</summary>
    public DirectoryInfo CopyLog()
    {
        var copy = Directory.CreateTempSubdirectory("muster-backup-");
        foreach (var file in LogFolder.EnumerateFiles())
        {
            file.CopyTo(Path.Combine(copy.FullName, file.Name));
        }

        return copy;
    }

    /// <summary>Starts again with the log of a copy, which is used up.</summary>
    public async Task RestartFromAsync(DirectoryInfo copy, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(copy);
        await KillAsync(cancellationToken);
        LogFolder.Delete(recursive: true);
        Directory.CreateDirectory(LogFolder.FullName);
        foreach (var file in copy.EnumerateFiles())
        {
            file.CopyTo(Path.Combine(LogFolder.FullName, file.Name));
        }

        copy.Delete(recursive: true);
        await LaunchAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync(CancellationToken.None);
        _folder.Delete(recursive: true);
    }

    private async Task SignalAsync(string signal, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Program)
        {
            RedirectStandardOutput = true,
            WorkingDirectory = _folder.FullName,
        };
        string[] arguments =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.FullName,
            "--appendonly", "yes", "--appendfsync", _appendFsync, "--save", "", "--logfile", "redis.log",
            .. _password is null ? Array.Empty<string>() : ["--requirepass", _password],
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        await WaitUntilReadyAsync(cancellationToken);
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(StartTimeout);
        while (true)
        {
            try
            {
                await using var probe = await ConnectionMultiplexer.ConnectAsync(ConnectionString + ",connectTimeout=500,connectRetry=1");
                await probe.GetDatabase().PingAsync();
                return;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException && _process is { HasExited: false })
            {
                await Task.Delay(50, timeout.Token);
            }
        }
    }
}
