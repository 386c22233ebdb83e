using System.Globalization;
using System.Net;
using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Decommissioning;
using Muster.Cryptography.Manifests;
using Muster.Domain.Anchors;
using Muster.Domain.Decommissioning;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Operators;
using Muster.Gateway.Hosting;
using Muster.Gateway.Identity;
using Muster.Grains.Devices;
using Muster.Silo.Images;
using Muster.Silo.Pki;
using Muster.Storage;
using Orleans.Configuration;

namespace Muster.Silo.Hosting;

/// <summary>Wires a silo, with or without an edge of its own; wiring only.</summary>
internal static class SiloHostExtensions
{
    /// <summary>An operator's certificate is renewed once a year.</summary>
    private static readonly TimeSpan OperatorLifetime = TimeSpan.FromDays(397);

    /// <summary>As long as a sweep may take for the same work: it reads a whole partition from the store.</summary>
    private static readonly TimeSpan ActivationMax = TimeSpan.Parse(CallTimeouts.Sweep, CultureInfo.InvariantCulture);

    public static WebApplicationBuilder AddTrust(this WebApplicationBuilder builder, HostSettings settings)
    {
        Directory.CreateDirectory(settings.DeviceTrustFolder);
        Directory.CreateDirectory(settings.ImageTrustFolder);
        Directory.CreateDirectory(settings.TimestampTrustFolder);
        var pki = HostPki.Open(settings, TimeProvider.System.GetUtcNow());
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(settings);
        services.AddSingleton(_ => pki);
        services.AddSingleton<IImageVerifier>(_ => new ImageVerifier(
            TrustStore.Load(settings.ImageTrustFolder), TrustStore.Load(settings.TimestampTrustFolder)));
        services.AddSingleton<IErasureProofVerifier, ErasureProofVerifier>();
        services.AddSingleton<IAnchorCertificateReader, AnchorCertificateReader>();
        services.AddSingleton(settings.Tenants);
        services.AddSingleton<ICertificateIssuer>(provider => provider.GetRequiredService<HostPki>().Fleet);
        services.AddSingleton<IFleetSigner>(provider => new FleetSigner(
            provider.GetRequiredService<HostPki>().Fleet, TimeProvider.System, provider.GetRequiredService<ILogger<FleetSigner>>()));
        services.AddSingleton<IOperatorCertificateAuthority>(provider =>
            new OperatorCertificateAuthority(provider.GetRequiredService<HostPki>().Operators, OperatorLifetime));
        return builder;
    }

    public static WebApplicationBuilder AddSilo(this WebApplicationBuilder builder, HostSettings settings, string connectionString)
    {
        builder.Services.AddSingleton<IFeedNudge, FeedNudge>();
        builder.Services.AddSingleton<IImageVault, ImageVault>();
        builder.Services.AddArtifacts(settings);
        builder.Services.AddSingleton<Administrator>();
        builder.Services.AddSingleton<PartitionClocks>();
        builder.Host.UseOrleans(silo =>
        {
            UseMembership(silo, settings);
            silo.UseRedisReminderService(reminders => reminders.ConfigurationOptions = ClusterStore.Parse(connectionString));
            silo.AddMusterStorage(store =>
            {
                builder.Configuration.GetSection("Muster:Store").Bind(store);
                store.ConnectionString = connectionString;
            });
            silo.AddDevices();

            // An inventory is there when its records are read. Within Orleans' 30 s a slow store would have it begin anew for ever.
            silo.Configure<GrainCollectionOptions>(grains => grains.ActivationTimeout = ActivationMax);
            silo.AddStartupTask<StartUp>();
        });
        return builder;
    }

    /// <summary>The edge in this process, unless gateways of their own are the edge.</summary>
    public static WebApplicationBuilder AddOwnEdge(this WebApplicationBuilder builder, HostSettings settings)
    {
        if (!settings.HasEdge)
        {
            return builder;
        }

        builder.Services.AddSingleton<IServerCertificate, OwnServerCertificate>();
        return builder.AddGateway(settings);
    }

    private static void UseMembership(ISiloBuilder silo, HostSettings settings)
    {
        if (settings.IsOneProcess)
        {
            silo.UseLocalhostClustering(settings.SiloPort, settings.ClientPort, null, settings.ServiceId, settings.ClusterId);
            return;
        }

        silo.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
        silo.UseRedisClustering(clustering => clustering.ConfigurationOptions = ClusterStore.Parse(settings.ConnectionString));
        silo.ConfigureEndpoints(IPAddress.Parse(settings.AdvertisedAddress), settings.SiloPort, settings.ClientPort);
    }
}
