namespace Muster.Load.Servers;

/// <summary>Debian's redis-server with an append-only file.</summary>
internal sealed class Redis : IDisposable
{
    public const string Program = "/usr/bin/redis-server";

    private readonly ServerProcess _process;

    private Redis(ServerProcess process, int port)
    {
        _process = process;
        ConnectionString = $"127.0.0.1:{port}";
    }

    public int ProcessId => _process.Id;

    public string ConnectionString { get; }

    public static async Task<Redis> StartAsync(Workplace place, TimeProvider clock, string sync = "everysec")
    {
        var port = ServerProcess.FreePort();
        var folder = place.NewFolder($"redis-{port}");
        var process = ServerProcess.Start(
            Path.Combine(folder, "host.log"),
            new Dictionary<string, string>(),
            Program, "--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder,
            "--appendonly", "yes", "--appendfsync", sync, "--save", "");
        await process.ListeningAsync(port, clock);
        return new Redis(process, port);
    }

    public void Dispose() => _process.Dispose();
}
