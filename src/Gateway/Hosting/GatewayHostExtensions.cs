using Microsoft.Extensions.DependencyInjection.Extensions;
using Muster.Artifacts;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Broker;
using Muster.Gateway.CertificateStatus;
using Muster.Gateway.Est;
using Muster.Gateway.Grpc;
using Muster.Gateway.Identity;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Hosting;

/// <summary>
/// Wires the edge into a host: the gateway's own program, or a silo that has its edge in its process. The host provides
/// <see cref="IGrainFactory"/>, <see cref="Contracts.Commit.PartitionMap"/> and <see cref="Identity.IServerCertificate"/>.
/// </summary>
public static class GatewayHostExtensions
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder, InstallationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(settings);
        builder.Configuration["Muster:Pki:Directory"] = settings.PkiFolder;
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddArtifacts(settings);
        builder.Services.TryAddSingleton(settings.Tenants);
        builder.Services.AddSingleton(provider => new DeviceTrust(
            settings.Tenants, TrustStore.Load(settings.DeviceTrustFolder), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<DeviceTrustRefresh>();
        builder.Services.AddMqttGateway(builder.Configuration);
        if (settings.Doors.HasFlag(GatewayDoors.Devices))
        {
            builder.Services.AddSharedBroker(builder.Configuration);
        }

        builder.Services.AddSingleton(_ => FleetTrust.Load(settings.PkiFolder));
        builder.Services.AddDeviceArtifacts(builder.Configuration);
        builder.Services.AddEst();
        builder.Services.AddCertificateStatus(builder.Configuration);
        builder.Services.AddOperatorsApi(builder.Configuration);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            if (settings.Doors.HasFlag(GatewayDoors.Devices))
            {
                kestrel.UseMqttListener();
                kestrel.UseDeviceHttpsListener();
                kestrel.UseCertificateStatusListener();
            }

            if (settings.Doors.HasFlag(GatewayDoors.Operators))
            {
                kestrel.UseOperatorsListener();
            }
        });
        return builder;
    }

    /// <summary>Images in the folder that the hosts of an installation share, or in a bucket if the settings name one.</summary>
    public static IServiceCollection AddArtifacts(this IServiceCollection services, InstallationSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        services.AddArtifactStore(settings.ArtifactFolder);
        services.AddHostedService<BucketCheck>();
        return services;
    }

    public static void MapGateway(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapDeviceArtifacts();
        endpoints.MapEst();
        endpoints.MapCertificateStatus();
        endpoints.MapOperatorsApi();
    }
}
