#if EMBEDDED_STORE
using Muster.EmbeddedStore;
using Muster.Storage;
#endif
using Muster.Gateway.Grpc;
using Muster.Gateway.Images;
using Muster.Silo.Hosting;

var builder = WebApplication.CreateBuilder(args);

// Their information is a line per placed grain and retry; configuration can lower the level again.
builder.Logging.AddFilter("Orleans", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning);
var settings = HostSettings.Read(builder.Configuration);
var connectionString = settings.ConnectionString;
#if EMBEDDED_STORE
await using var store = settings.IsOneProcess ? EmbeddedStoreServer.Start(Path.Combine(settings.DataFolder, "store")) : null;
if (store is not null)
{
    connectionString = store.ConnectionString;
    builder.Services.AddSingleton<IDurabilityBarrier>(new EmbeddedStoreBarrier(store));
}
#else
if (settings.IsOneProcess)
{
    throw new InvalidOperationException("This build has no embedded store: set Muster:Store:ConnectionString to a Redis.");
}
#endif
builder.AddTrust(settings).AddSilo(settings, connectionString).AddGateway(settings);

var app = builder.Build();
app.MapDeviceArtifacts();
app.MapOperatorsApi();
await app.RunAsync();
