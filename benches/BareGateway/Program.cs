using Muster.BareGateway;
using Muster.Contracts.Commit;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;

var builder = WebApplication.CreateBuilder(args);
var folder = Path.GetFullPath(
    builder.Configuration["Bench:Directory"] ?? throw new InvalidOperationException("Bench:Directory is missing."));
var trust = Path.Combine(folder, "trust");
var certificate = ListenerCertificate.Create(folder, TimeProvider.System.GetUtcNow());
builder.WebHost.UseKestrelHttpsConfiguration();
if (builder.Configuration.GetValue<int?>("Bench:TlsPort") is { } port)
{
    // The handshake alone: what the product's whole admission is compared with.
    builder.WebHost.ConfigureKestrel(kestrel => new BareTlsListener(certificate, TrustStore.Load(trust)).Use(kestrel, port));
}
else
{
    // The product's MQTT listener, whole, in front of nothing, or of a store alone: what it costs is what a grain is compared with.
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddSingleton<IServerCertificate>(certificate);
    builder.Services.AddSingleton(new DeviceIdentityVerifier(TrustStore.Load(trust)));
    builder.Services.AddSingleton(new PartitionMap(PartitionMap.CountDefault));
    builder.Services.AddSingleton(NoGrains.Create(
        builder.Configuration["Bench:Store"] is { } store ? await PlainStore.ConnectAsync(store) : null));
    builder.Services.AddMqttGateway(builder.Configuration);
    builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseMqttListener());
}

await builder.Build().RunAsync();
