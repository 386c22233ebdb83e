using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Muster.Testing.Stores;

/// <summary>One redis-server of a group, as a child process with settings of its own in a folder of its own.</summary>
public sealed class RedisNode : IAsyncDisposable
{
    private const string Program = "/usr/bin/redis-server";
    private const string ConfigurationFile = "redis.conf";

    /// <summary>A node of a Redis Cluster listens there as well, unless it is told otherwise.</summary>
    private const int BusOffset = 10_000;

    private const int PortMin = 20_000;
    private const int PortMax = 32_000;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-node-");
    private Process? _process;

    private RedisNode() => Port = FreePort();

    public int Port { get; }

    public string EndPoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <param name="isSentinel">Sentinels rewrite their settings, so that those are a file.</param>
    /// <param name="settings">Lines of redis.conf beside port, address and folder.</param>
    public static RedisNode Start(bool isSentinel, params string[] settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var node = new RedisNode();
        var file = Path.Combine(node._folder.FullName, ConfigurationFile);
        File.WriteAllLines(
            file, [$"port {node.Port}", "bind 127.0.0.1", $"dir {node._folder.FullName}", "logfile redis.log", "save \"\"", .. settings]);
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, WorkingDirectory = node._folder.FullName };
        foreach (var argument in isSentinel ? new[] { file, "--sentinel" } : [file])
        {
            start.ArgumentList.Add(argument);
        }

        node._process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        return node;
    }

    /// <summary>kill -9, for good.</summary>
    public async Task KillAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Below the system's own range, so that nobody is given the bus port by chance.</summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(PortMin, PortMax);
            if (IsFree(port) && IsFree(port + BusOffset))
            {
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
