#if EMBEDDED_STORE
using Muster.Storage;
#endif
using Muster.Gateway.Hosting;
using Muster.ServiceDefaults;
using Muster.ServiceDefaults.Health;
using Muster.Silo.Hosting;
using Muster.Silo.Pki;

return await HostProgram.RunAsync(async () =>
{
    if (args is [PkiCommand.Verb, .. var rest])
    {
        await PkiCommand.RunAsync(rest, Console.Out, TimeProvider.System);
        return;
    }

    if (args is [PkiCommand.RollVerb, .. var roll])
    {
        await PkiCommand.RollAsync(roll, Console.Out, TimeProvider.System);
        return;
    }

    var builder = WebApplication.CreateBuilder(args);
    var settings = new HostSettings(builder.Configuration);
    var connectionString = settings.ConnectionString;
#if EMBEDDED_STORE
    await using var store = settings.IsOneProcess ? OneProcessStore.Open(settings.DataFolder) : null;
    if (store is not null)
    {
        connectionString = store.ConnectionString;
        builder.Services.AddSingleton<IDurabilityBarrier>(new EmbeddedStoreBarrier(store));
    }
#else
    if (settings.IsOneProcess)
    {
        throw new StartRefusedException("This build has no embedded store: set Muster:Store:ConnectionString to a Redis.");
    }
#endif
    if (!settings.IsOneProcess)
    {
        await ClusterStore.VerifyAsync(connectionString);
    }

    builder.AddHostDefaults().AddTrust(settings).AddSilo(settings, connectionString).AddOwnEdge(settings);
    builder.AddHealth<SiloReadiness>(settings.IsOneProcess ? null : HealthOptions.PortDefault);

    var app = builder.Build();
    app.UseHealth();
    if (settings.HasEdge)
    {
        app.MapGateway();
    }

    await app.RunAsync();
});
