using Muster.Gateway.Hosting;
using Muster.ServiceDefaults;
using Muster.ServiceDefaults.Health;

return await HostProgram.RunAsync(async () =>
{
    var builder = WebApplication.CreateBuilder(args);
    var settings = new InstallationSettings(builder.Configuration);
    builder.AddHostDefaults().AddClusterClient(settings).AddGateway(settings).AddHealth<GatewayReadiness>(HealthOptions.PortDefault);
    await ClusterStore.VerifyAsync(settings.ConnectionString);

    var app = builder.Build();
    app.UseHealth();
    app.MapGateway();
    await app.RunAsync();
});
