namespace Muster.Load.Servers;

/// <summary>The product's listener without a grain behind it, or with Redis alone, which keeps inventories with a plain write.</summary>
internal sealed class BareGateway : IContestant
{
    private readonly ServerProcess _process;
    private readonly Redis? _redis;
    private readonly string _folder;

    private BareGateway(ServerProcess process, Redis? redis, string folder, int port)
    {
        _process = process;
        _redis = redis;
        _folder = folder;
        Port = port;
    }

    public string Name => _redis is null ? "bare" : "plain";

    public int Port { get; }

    public string ServerCaFile => Path.Combine(_folder, "server-ca.pem");

    public int[] Processes => _redis is null ? [_process.Id] : [_process.Id, _redis.ProcessId];

    public static async Task<BareGateway> StartAsync(Workplace place, string assembly, TimeProvider clock, Redis? redis = null)
    {
        var folder = place.NewFolder(redis is null ? "bare" : "plain");
        Directory.CreateDirectory(Path.Combine(folder, "trust"));
        File.Copy(place.TrustFile, Path.Combine(folder, "trust", "vendor.pem"));
        var port = ServerProcess.FreePort();
        var environment = new Dictionary<string, string>(MusterHost.Pace)
        {
            ["Bench__Directory"] = folder,
            ["Muster__Mqtt__Port"] = $"{port}",
        };
        if (redis is not null)
        {
            environment["Bench__Store"] = redis.ConnectionString;
        }

        var process = ServerProcess.Start(Path.Combine(folder, "host.log"), environment, "dotnet", assembly);
        await process.ListeningAsync(port, clock);
        return new BareGateway(process, redis, folder, port);
    }

    public void Dispose()
    {
        _process.Dispose();
        _redis?.Dispose();
    }
}
