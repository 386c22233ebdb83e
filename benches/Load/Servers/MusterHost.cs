using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Muster.EmbeddedStore;
using Muster.Protocol.V1;

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

    private const int CallsAtOnce = 32;

    private readonly ServerProcess _process;
    private readonly Redis? _redis;
    private readonly string _folder;
    private readonly int _operatorsPort;

    private MusterHost(ServerProcess process, Redis? redis, string folder, (int Mqtt, int Operators) ports)
    {
        _process = process;
        _redis = redis;
        _folder = folder;
        _operatorsPort = ports.Operators;
        Port = ports.Mqtt;
    }

    public string Name => _redis is null ? "embedded" : "redis";

    public int Port { get; }

    public string ServerCaFile => Path.Combine(_folder, "operators", "administrator", "server-ca.pem");

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
    public async Task ExpectAsync(string[] devices)
    {
        using var channel = Connect();
        var client = new Devices.DevicesClient(channel);
        await Parallel.ForEachAsync(
            devices,
            new ParallelOptions { MaxDegreeOfParallelism = CallsAtOnce },
            async (device, cancellationToken) => await client.CreateDeviceAsync(
                new CreateDeviceRequest
                {
                    Parent = "tenants/default",
                    DeviceId = device,
                    RequestId = $"bench-{device}",
                    Device = new Device
                    {
                        Model = "P3265-V", Track = "active", Approval = EnrollmentApproval.Automatic, Warranty = new Warranty(),
                    },
                },
                cancellationToken: cancellationToken));
    }

    /// <summary>The API, as the administrator of the first start.</summary>
    public GrpcChannel Connect()
    {
        var profile = Path.Combine(_folder, "operators", "administrator");
        var certificate = X509Certificate2.CreateFromPemFile(
            Path.Combine(profile, "operator.pem"), Path.Combine(profile, "operator.key"));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(ServerCaFile);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [certificate], CertificateChainPolicy = policy },
        };
        return GrpcChannel.ForAddress(
            $"https://localhost:{_operatorsPort}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }

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
