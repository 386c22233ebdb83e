using Muster.BareGateway;
using Muster.Contracts.Commit;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;

// The product's MQTT listener, whole, in front of nothing: what it costs is what a grain is compared with.
var builder = WebApplication.CreateBuilder(args);
var folder = Path.GetFullPath(
    builder.Configuration["Bench:Directory"] ?? throw new InvalidOperationException("Bench:Directory is missing."));
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<IServerCertificate>(ListenerCertificate.Create(folder, TimeProvider.System.GetUtcNow()));
builder.Services.AddSingleton(new DeviceIdentityVerifier(TrustStore.Load(Path.Combine(folder, "trust"))));
builder.Services.AddSingleton(new PartitionMap(PartitionMap.CountDefault));
builder.Services.AddSingleton(NoGrains.Create());
builder.Services.AddMqttGateway(builder.Configuration);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.UseMqttListener());
await builder.Build().RunAsync();
