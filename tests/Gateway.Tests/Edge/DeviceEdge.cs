using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Muster.Artifacts;
using Muster.Contracts.Commit;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Tenants;
using Muster.Gateway.Broker;
using Muster.Gateway.Est;
using Muster.Gateway.Identity;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;
using Muster.Gateway.Tests.Broker;

namespace Muster.Gateway.Tests.Edge;

/// <summary>The real listeners on loopback ports that the system chose, in front of fake grains.</summary>
internal sealed class DeviceEdge : IAsyncDisposable
{
    private readonly WebApplication _host;
    private bool _ownsBroker;

    private DeviceEdge(WebApplication host, TestPki pki, FakeGrains grains, FakeArtifacts artifacts)
    {
        (_host, Pki, Grains, Artifacts) = (host, pki, grains, artifacts);
        var ports = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(address => new Uri(address).Port)
            .ToArray();
        (MqttPort, HttpsPort) = (ports[0], ports[1]);
    }

    public int MqttPort { get; }

    /// <summary>The broker that devices are at; null for devices that come to the gateway's own listener.</summary>
    public Mosquitto? Broker { get; private init; }

    /// <summary>Where devices connect.</summary>
    public int DevicePort => Broker?.DevicePort ?? MqttPort;

    public int HttpsPort { get; }

    public TestPki Pki { get; }

    public FakeGrains Grains { get; }

    public FakeArtifacts Artifacts { get; }

    /// <summary>The listeners in front of other grains than the fakes.</summary>
    public static Task<DeviceEdge> StartAsync(IGrainFactory factory)
    {
        var pki = new TestPki();
        return StartAsync(pki, pki.CreateVerifier(), factory, []);
    }

    public static Task<DeviceEdge> StartAsync(params (string Key, string Value)[] settings)
    {
        var pki = new TestPki();
        return StartAsync(pki, pki.CreateVerifier(), settings);
    }

    public static Task<DeviceEdge> StartAsync(TestPki pki, DeviceIdentityVerifier verifier, params (string Key, string Value)[] settings) =>
        StartAsync(pki, verifier, null, settings);

    /// <summary>With devices that come to the listener, or to a broker of this edge's own.</summary>
    public static async Task<DeviceEdge> StartAsync(DeviceWay way, params (string Key, string Value)[] settings) =>
        way == DeviceWay.Listener
            ? await StartAsync(settings)
            : await StartBehindAsync(await Mosquitto.StartAsync(), ownsBroker: true, "gateway-1", null, settings);

    /// <summary>One of the gateways at a broker; the test ends the broker.</summary>
    public static Task<DeviceEdge> StartBehindAsync(
        Mosquitto broker, string clientId, IGrainFactory? factory = null, params (string Key, string Value)[] settings) =>
        StartBehindAsync(broker, ownsBroker: false, clientId, factory, settings);

    /// <summary>A certificate that devices have where they connect: the maker's, or one of the fleet CA, which brokers trust.</summary>
    public X509Certificate2 IssueDevice(string serial) => Broker is null ? Pki.Issue(serial) : Pki.IssueOperational(serial);

    private static async Task<DeviceEdge> StartBehindAsync(
        Mosquitto broker, bool ownsBroker, string clientId, IGrainFactory? factory, (string Key, string Value)[] settings)
    {
        var pki = broker.Pki;
        var verifier = pki.CreateVerifier();
        var given = broker.Settings(clientId).ExceptBy(settings.Select(setting => setting.Key), setting => setting.Key);
        (string Key, string Value)[] all = [.. given, .. settings];
        var edge = await StartAsync(pki, services => services.AddSingleton(verifier), factory, all, broker, ownsBroker);
        if (broker.IsRunning)
        {
            await edge.ConnectedToBrokerAsync();
        }

        return edge;
    }

    /// <summary>With anchors that change, and perhaps several tenants.</summary>
    public static Task<DeviceEdge> StartAsync(
        TestPki pki, DeviceTrust trust, TenantDirectory tenants, params (string Key, string Value)[] settings) =>
        StartAsync(pki, DeviceTrustServices(trust, tenants), null, settings, broker: null, ownsBroker: false);

    private static Task<DeviceEdge> StartAsync(
        TestPki pki, DeviceIdentityVerifier verifier, IGrainFactory? others, (string Key, string Value)[] settings) =>
        StartAsync(pki, services => services.AddSingleton(verifier), others, settings, broker: null, ownsBroker: false);

    private static Action<IServiceCollection> DeviceTrustServices(DeviceTrust trust, TenantDirectory tenants) =>
        services => services.AddSingleton(trust).AddSingleton(tenants);

    private static async Task<DeviceEdge> StartAsync(
        TestPki pki,
        Action<IServiceCollection> addTrust,
        IGrainFactory? others,
        (string Key, string Value)[] settings,
        Mosquitto? broker,
        bool ownsBroker)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Muster:Mqtt:Port"] = "0",
            ["Muster:DeviceHttps:Port"] = "0",
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value));
        var (factory, grains) = FakeGrains.Create();
        var artifacts = new FakeArtifacts();
        builder.Services.AddSingleton(others ?? factory);
        builder.Services.AddSingleton(new PartitionMap(PartitionMap.CountMin));
        builder.Services.AddSingleton<TimeProvider>(pki.Clock);
        builder.Services.AddSingleton<Identity.IServerCertificate>(pki);
        addTrust(builder.Services);
        builder.Services.AddSingleton<IArtifactStore>(artifacts);
        builder.Services.AddMqttGateway(builder.Configuration);
        builder.Services.AddSharedBroker(builder.Configuration);
        builder.Services.AddDeviceArtifacts(builder.Configuration);
        builder.Services.AddEst();
        if (pki.HasFleet)
        {
            builder.Services.AddSingleton(pki.FleetTrust);
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.UseMqttListener();
            kestrel.UseDeviceHttpsListener();
        });
        var host = builder.Build();
        host.MapDeviceArtifacts();
        host.MapEst();
        await host.StartAsync();
        return new DeviceEdge(host, pki, grains, artifacts) { Broker = broker, _ownsBroker = ownsBroker };
    }

    /// <summary>Until all connections to the broker are open.</summary>
    public Task ConnectedToBrokerAsync() =>
        Eventually.TrueAsync(() => BrokerNote is null, "the gateway's connections to the broker");

    /// <summary>What health says of the broker; null when all is well.</summary>
    public string? BrokerNote => Services.GetRequiredService<BrokerConnections>().Find();

    /// <summary>A link as the desired state of this device would have it.</summary>
    public string LinkTo(ImageDigest digest, string serial = Samples.Serial) => Services.GetRequiredService<ImageLinks>().PathOf(
        new DeviceAddress(TenantId.Default, DeviceId.TryParse(serial, out var id) ? id : throw new FormatException(serial)), digest);

    /// <summary>Downloads in progress.</summary>
    public int OpenDownloads => Services.GetRequiredService<OpenDownloads>().All.Count();

    public IServiceProvider Services => _host.Services;

    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await _host.DisposeAsync();
        if (Broker is null)
        {
            Pki.Dispose();
        }
        else if (_ownsBroker)
        {
            await Broker.DisposeAsync();
        }
    }
}
