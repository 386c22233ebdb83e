using System.Net;
using Muster.Artifacts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Decommissioning;
using Muster.Cryptography.Manifests;
using Muster.Domain.Decommissioning;
using Muster.Domain.Images;
using Muster.Domain.Operators;
using Muster.Gateway.Grpc;
using Muster.Gateway.Identity;
using Muster.Gateway.Images;
using Muster.Gateway.Mqtt;
using Muster.Grains.Devices;
using Muster.Silo.Images;
using Muster.Storage;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Muster.Silo.Hosting;

/// <summary>Wires a silo with its gateway; wiring only.</summary>
internal static class SiloHostExtensions
{
    /// <summary>An operator's certificate is renewed once a year.</summary>
    private static readonly TimeSpan OperatorLifetime = TimeSpan.FromDays(397);

    /// <summary>Above the host's 30 s: a silo with a million activations was measured to need 16 s alone.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(60);

    public static WebApplicationBuilder AddTrust(this WebApplicationBuilder builder, HostSettings settings)
    {
        Directory.CreateDirectory(settings.DeviceTrustFolder);
        Directory.CreateDirectory(settings.ImageTrustFolder);
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(provider => HostPki.LoadOrCreate(settings, provider.GetRequiredService<TimeProvider>().GetUtcNow()));
        services.AddSingleton<IServerCertificate>(provider => provider.GetRequiredService<HostPki>());
        services.AddSingleton(_ => new DeviceIdentityVerifier(TrustStore.Load(settings.DeviceTrustFolder)));
        services.AddSingleton<IImageVerifier>(_ => new CmsImageVerifier(TrustStore.Load(settings.ImageTrustFolder)));
        services.AddSingleton<IErasureProofVerifier, ErasureProofVerifier>();
        services.AddSingleton<IOperatorCertificateAuthority>(provider =>
            new OperatorCertificateAuthority(provider.GetRequiredService<HostPki>().Operators, OperatorLifetime));
        return builder;
    }

    public static WebApplicationBuilder AddSilo(this WebApplicationBuilder builder, HostSettings settings, string connectionString)
    {
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        builder.Services.AddSingleton<IFeedNudge, FeedNudge>();
        builder.Services.AddSingleton<IImageVault, ImageVault>();
        builder.Services.AddSingleton<IArtifactStore>(provider => new FolderArtifactStore(
            Path.Combine(settings.DataFolder, "artifacts"), provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<Administrator>();
        builder.Host.UseOrleans(silo =>
        {
            UseMembership(silo, settings);
            silo.UseRedisReminderService(reminders => reminders.ConfigurationOptions = ConfigurationOptions.Parse(connectionString));
            silo.AddMusterStorage(store =>
            {
                builder.Configuration.GetSection("Muster:Store").Bind(store);
                store.ConnectionString = connectionString;
            });
            silo.AddDevices();
            silo.AddStartupTask<StartUp>();
        });
        return builder;
    }

    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder, HostSettings settings)
    {
        builder.Configuration["Muster:Pki:Directory"] = settings.PkiFolder;
        builder.Services.AddMqttGateway(builder.Configuration);
        builder.Services.AddDeviceArtifacts(builder.Configuration);
        builder.Services.AddOperatorsApi(builder.Configuration);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Both CAs are on disk before the first listener opens.
            kestrel.ApplicationServices.GetRequiredService<HostPki>();
            kestrel.UseMqttListener();
            kestrel.UseDeviceHttpsListener();
            kestrel.UseOperatorsListener();
        });
        return builder;
    }

    private static void UseMembership(ISiloBuilder silo, HostSettings settings)
    {
        if (settings.IsOneProcess)
        {
            silo.UseLocalhostClustering(settings.SiloPort, settings.ClientPort, null, settings.ServiceId, settings.ClusterId);
            return;
        }

        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        silo.UseRedisClustering(clustering => clustering.ConfigurationOptions = ConfigurationOptions.Parse(settings.ConnectionString));
        silo.ConfigureEndpoints(IPAddress.Parse(settings.AdvertisedAddress), settings.SiloPort, settings.ClientPort);
    }
}
