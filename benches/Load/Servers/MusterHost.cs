using Grpc.Net.Client;
using Muster.EmbeddedStore;

namespace Muster.Load.Servers;

/// <summary>The product: silo and gateway in one process, on the embedded store or on a Redis.</summary>
internal sealed class MusterHost : IContestant
{
    /// <summary>The pace of one device is not what is measured.</summary>
    public static readonly IReadOnlyDictionary<string, string> Pace = new Dictionary<string, string>
    {
        ["Muster__Mqtt__MessagesPerSecond"] = "1000000",

        // All facts of a run are counted when it is over.
        ["Muster__Store__FeedEntriesKept"] = "1000000",
        ["Muster__Mqtt__MessagesBurst"] = "1000000",
    };

    private readonly ServerProcess _process;
    private readonly Redis? _redis;
    private readonly string _folder;

    private MusterHost(ServerProcess process, Redis? redis, string folder, (int Mqtt, int Operators) ports)
    {
        _process = process;
        _redis = redis;
        _folder = folder;
        Api = new OperatorsApi(folder, ports.Operators);
        Port = ports.Mqtt;
    }

    public string Name => _redis is null ? "embedded" : "redis";

    public int Port { get; }

    public OperatorsApi Api { get; }

    public string ServerCaFile => Api.ServerCaFile;

    public int[] Processes => _redis is null ? [_process.Id] : [_process.Id, _redis.ProcessId];

    public static async Task<MusterHost> StartAsync(Workplace place, string assembly, Redis? redis, TimeProvider clock)
    {
        var folder = place.NewFolder(redis is null ? "embedded" : "on-redis");
        var trust = Directory.CreateDirectory(Path.Combine(folder, "trust", "devices")).FullName;
        File.Copy(place.TrustFile, Path.Combine(trust, "vendor.pem"));
        var (mqtt, operators) = (ServerProcess.FreePort(), ServerProcess.FreePort());
        var environment = new Dictionary<string, string>(Pace)
        {
            ["Muster__Data__Directory"] = folder,
            ["Muster__Mqtt__Port"] = $"{mqtt}",
            ["Muster__Grpc__Port"] = $"{operators}",
            ["Muster__DeviceHttps__Port"] = $"{ServerProcess.FreePort()}",
            ["Muster__Cluster__SiloPort"] = $"{ServerProcess.FreePort()}",
            ["Muster__Cluster__GatewayPort"] = $"{ServerProcess.FreePort()}",
        };
        if (redis is not null)
        {
            // One host of a cluster, with its edge in the same process as on the embedded store.
            var pki = place.NewFolder("pki");
            await ServerProcess.RunAsync(Path.Combine(folder, "pki.log"), "dotnet", assembly, "pki", pki, "localhost", "127.0.0.1");
            environment["Muster__Pki__Directory"] = Path.Combine(pki, "ca");
            environment["Muster__Edge__Enabled"] = "true";
            environment["Muster__Health__Port"] = "0";
            environment["Muster__Store__ConnectionString"] = redis.ConnectionString;
            environment["Muster__Edge__Enabled"] = "true";
            environment["Muster__Health__Port"] = "0";
        }

        var process = ServerProcess.Start(Path.Combine(folder, "host.log"), environment, "dotnet", assembly);
        await process.ListeningAsync(operators, clock);
        return new MusterHost(process, redis, folder, (mqtt, operators));
    }

    /// <summary>Puts every device on the delivery list; their hellos enrol them.</summary>
    public Task ExpectAsync(string[] devices) => Api.ExpectAsync(devices);

    public GrpcChannel Connect() => Api.Connect();

    /// <summary>Kills the host, and counts what its store holds: on the embedded store, after recovering its log.</summary>
    public async Task<long> KillAndCountAsync()
    {
        _process.Dispose();
        if (_redis is not null)
        {
            return await StoredFacts.CountInventoriesAsync(_redis.ConnectionString);
        }

        await using var store = EmbeddedStoreServer.Start(Path.Combine(_folder, "store"));
        return await StoredFacts.CountInventoriesAsync(store.ConnectionString);
    }

    public void Dispose()
    {
        _process.Dispose();
        _redis?.Dispose();
    }
}
