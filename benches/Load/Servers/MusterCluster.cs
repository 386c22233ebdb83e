using System.Net;

namespace Muster.Load.Servers;

/// <summary>The product as a cluster: a silo on <c>redis-server</c>, and gateways as programs of their own.</summary>
internal sealed class MusterCluster : IDisposable
{
    /// <summary>Programs that start one after the other on busy processors.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private readonly List<ServerProcess> _processes = [];
    private readonly Redis _redis;

    private MusterCluster(Redis redis) => _redis = redis;

    /// <summary>Those that devices connect to.</summary>
    public List<ClusterGateway> Gateways { get; } = [];

    /// <summary>The gateway that opens its door for operators alone; null unless one was asked for.</summary>
    public ClusterGateway? Operators { get; private set; }

    public static async Task<MusterCluster> StartAsync(
        Workplace place, string siloAssembly, string gatewayAssembly, int gateways, TimeProvider clock, bool hasOperators = false)
    {
        var cluster = new MusterCluster(await Redis.StartAsync(place, clock));
        try
        {
            await cluster.StartHostsAsync(place, siloAssembly, gatewayAssembly, gateways, hasOperators, clock);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <summary>Kills every host, and counts what the store holds.</summary>
    public Task<long> KillAndCountAsync()
    {
        KillHosts();
        return StoredFacts.CountInventoriesAsync(_redis.ConnectionString);
    }

    public void Dispose()
    {
        KillHosts();
        _redis.Dispose();
    }

    private async Task StartHostsAsync(
        Workplace place, string siloAssembly, string gatewayAssembly, int gateways, bool hasOperators, TimeProvider clock)
    {
        var folder = place.NewFolder($"cluster-{Guid.NewGuid():N}");
        var (data, pki) = (Path.Combine(folder, "data"), Path.Combine(folder, "pki"));
        var trust = Directory.CreateDirectory(Path.Combine(data, "trust", "devices")).FullName;
        File.Copy(place.TrustFile, Path.Combine(trust, "vendor.pem"));
        await ServerProcess.RunAsync(Path.Combine(folder, "pki.log"), "dotnet", siloAssembly, "pki", pki, "localhost", "127.0.0.1");
        var silo = Settings(data, Path.Combine(pki, "silo"));
        silo["Muster__Cluster__SiloPort"] = $"{ServerProcess.FreePort()}";
        silo["Muster__Cluster__GatewayPort"] = $"{ServerProcess.FreePort()}";
        await StartAsync(Path.Combine(folder, "silo.log"), siloAssembly, silo, clock);
        for (var i = 0; i < gateways; i++)
        {
            Gateways.Add(await StartGatewayAsync($"gateway{i}", "all"));
        }

        Operators = hasOperators ? await StartGatewayAsync("operators", "operators") : null;

        async Task<ClusterGateway> StartGatewayAsync(string name, string doors)
        {
            var (mqtt, operators) = (ServerProcess.FreePort(), ServerProcess.FreePort());
            var gateway = Settings(data, Path.Combine(pki, "gateway"));
            gateway["Muster__Edge__Doors"] = doors;
            gateway["Muster__Mqtt__Port"] = $"{mqtt}";
            gateway["Muster__Grpc__Port"] = $"{operators}";
            gateway["Muster__DeviceHttps__Port"] = $"{ServerProcess.FreePort()}";
            var process = await StartAsync(Path.Combine(folder, $"{name}.log"), gatewayAssembly, gateway, clock);
            return new ClusterGateway(mqtt, process, new OperatorsApi(data, operators));
        }
    }

    private Dictionary<string, string> Settings(string data, string pki) => new()
    {
        ["Muster__Data__Directory"] = data,
        ["Muster__Pki__Directory"] = pki,
        ["Muster__Store__ConnectionString"] = _redis.ConnectionString,

        // All facts of a run are counted when it is over.
        ["Muster__Store__FeedEntriesKept"] = "1000000",
    };

    /// <summary>Answers with the process's id when the host says that it is ready.</summary>
    private async Task<int> StartAsync(string log, string assembly, Dictionary<string, string> settings, TimeProvider clock)
    {
        var health = ServerProcess.FreePort();
        settings["Muster__Health__Port"] = $"{health}";
        var process = ServerProcess.Start(log, settings, "dotnet", assembly);
        _processes.Add(process);
        await process.ListeningAsync(health, clock);
        using var probe = new HttpClient();
        for (var started = clock.GetTimestamp(); ;)
        {
            using var answer = await probe.GetAsync(new Uri($"http://127.0.0.1:{health}/health/ready"));
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                return process.Id;
            }

            if (clock.GetElapsedTime(started) > StartTimeout)
            {
                throw new InvalidOperationException(
                    $"Not ready: {await answer.Content.ReadAsStringAsync()}\n{await File.ReadAllTextAsync(log)}");
            }

            await Task.Delay(Poll, clock);
        }
    }

    private void KillHosts()
    {
        foreach (var process in _processes)
        {
            process.Dispose();
        }
    }
}

/// <summary>One gateway of a cluster.</summary>
/// <param name="Port">For devices.</param>
/// <param name="ProcessId">Of its program.</param>
/// <param name="Api">The operators' API there.</param>
internal sealed record ClusterGateway(int Port, int ProcessId, OperatorsApi Api);
