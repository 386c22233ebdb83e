using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
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
using Muster.Contracts.Operators;
using Muster.Contracts.Serials;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Gateway.Grpc;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Grpc;

/// <summary>The operators' listener with real TLS on a port that the system chose, in front of fake grains.</summary>
internal sealed class OperatorsEdge : IAsyncDisposable
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly WebApplication _host;
    private readonly CertificateAuthority _authority;
    private readonly List<IDisposable> _owned = [];

    private OperatorsEdge(WebApplication host, TestPki pki, FakeFleet fleet, CertificateAuthority authority, string folder)
    {
        (_host, Pki, Fleet, _authority, Folder) = (host, pki, fleet, authority, folder);
        var address = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        Address = new Uri($"https://127.0.0.1:{new Uri(address).Port}");
    }

    public Uri Address { get; }

    public TestPki Pki { get; }

    public FakeFleet Fleet { get; }

    public string Folder { get; }

    /// <summary>What the accounts on record say; the certificate's fingerprint is taken as it comes.</summary>
    public Dictionary<string, OperatorRole[]> Accounts { get; } = [];

    public static Task<OperatorsEdge> StartAsync(params (string Key, string Value)[] settings) =>
        StartAsync(TimeProvider.System, settings);

    public static async Task<OperatorsEdge> StartAsync(TimeProvider clock, params (string Key, string Value)[] settings)
    {
        var pki = new TestPki();
        var folder = Directory.CreateTempSubdirectory("operators-edge-").FullName;
        var authority = CertificateAuthority.Create("Operators", Now, TimeSpan.FromDays(2));
        await File.WriteAllTextAsync(Path.Combine(folder, "operators-ca.pem"), authority.CertificatePem);
        await File.WriteAllTextAsync(Path.Combine(folder, "server-ca.pem"), pki.ServerCaPem);
        var (factory, fleet) = FakeFleet.Create();
        var host = Build(pki, folder, factory, clock, settings);
        await host.StartAsync();
        var edge = new OperatorsEdge(host, pki, fleet, authority, folder);
        fleet.On<IOperatorGrain, OperatorReply>(
            nameof(IOperatorGrain.AuthenticateAsync), (key, args) => edge.Authenticate(key, (string)args[0]!));

        // No other tenant has to do with any serial.
        fleet.On<ISerialGrain, FleetError?>(nameof(ISerialGrain.CheckAsync), (_, _) => null);
        return edge;
    }

    /// <summary>A certificate of the operators' CA.</summary>
    public X509Certificate2 Issue(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        var id = ResourceId.TryParse(name, out var parsed) ? parsed : throw new FormatException(name);
        var signed = Sign(request.CreateSigningRequestPem(), id);
        using var certificate = X509Certificate2.CreateFromPem(signed.Pem, key.ExportPkcs8PrivateKeyPem());
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
    }

    public SignedOperatorCertificate Sign(string signingRequest, ResourceId id)
    {
        var (signed, error) = new OperatorCertificateAuthority(_authority, TimeSpan.FromDays(1))
            .Sign(signingRequest, TenantId.Default, id, Now);
        Assert.Null(error);
        return signed!;
    }

    /// <summary>A channel of an operator with these roles.</summary>
    public CallInvoker Connect(string name, params OperatorRole[] roles)
    {
        Accounts[name] = roles;
        return Connect(Issue(name));
    }

    public CallInvoker Connect(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = certificate is null ? null : [certificate],
                RemoteCertificateValidationCallback = (_, server, _, _) => Pki.IsServer(server),
            },
        };
        var channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        _owned.Add(channel);
        if (certificate is not null)
        {
            _owned.Add(certificate);
        }

        return channel.CreateCallInvoker();
    }

    public async ValueTask DisposeAsync()
    {
        _owned.ForEach(one => one.Dispose());
        await _host.StopAsync();
        await _host.DisposeAsync();
        _authority.Dispose();
        Pki.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static WebApplication Build(
        TestPki pki, string folder, IGrainFactory factory, TimeProvider clock, (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Muster:Grpc:Port"] = "0",
            ["Muster:Grpc:RolloutWatchInterval"] = "00:00:00.020",
            ["Muster:Pki:Directory"] = folder,
        });
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value));
        builder.Services.AddSingleton(factory);
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(new PartitionMap(PartitionMap.CountMin));
        builder.Services.AddSingleton<Identity.IServerCertificate>(pki);
        builder.Services.AddSingleton<IArtifactStore>(new FolderArtifactStore(Path.Combine(folder, "artifacts"), TimeProvider.System));
        builder.Services.AddOperatorsApi(builder.Configuration);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseOperatorsListener());
        var host = builder.Build();
        host.MapOperatorsApi();
        return host;
    }

    private OperatorReply Authenticate(string key, string certificateSha256)
    {
        var (tenant, id) = OperatorKey.Parse(key);
        return Accounts.TryGetValue(id.Value, out var roles)
            ? new OperatorReply(Samples.Account(tenant, id, roles, certificateSha256), null)
            : new OperatorReply(null, OperatorErrors.Unknown());
    }
}
