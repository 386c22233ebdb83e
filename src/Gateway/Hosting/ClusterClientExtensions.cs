using Muster.Contracts.Commit;
using Muster.Contracts;
using Muster.Gateway.Identity;
using Muster.ServiceDefaults;
using Orleans.Configuration;

namespace Muster.Gateway.Hosting;

/// <summary>Wires a gateway that is a process of its own: a client of the silos that it finds in Redis.</summary>
internal static class ClusterClientExtensions
{
    /// <summary>Silos that start at the same time are up by then; after it the host ends, and its supervisor repeats the start.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan ConnectInterval = TimeSpan.FromSeconds(1);

    /// <summary>A silo that joins gets its share of calls this soon; one read of Redis each time.</summary>
    private static readonly TimeSpan SiloListInterval = TimeSpan.FromSeconds(10);

    public static WebApplicationBuilder AddClusterClient(this WebApplicationBuilder builder, InstallationSettings settings)
    {
        if (settings.IsOneProcess)
        {
            throw new StartRefusedException(
                "A gateway of its own needs Muster:Store:ConnectionString, the Redis of its cluster. Without a cluster, start the silo's "
                + "program: it has its gateway in its process.");
        }

        var services = builder.Services;
        services.AddSingleton(settings);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<IServerCertificate>(provider => new TenantServerCertificates(
            settings,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FolderServerCertificate>>()));
        services.AddSingleton(new PartitionMap(builder.Configuration.GetValue("Muster:Store:Partitions", PartitionMap.CountDefault)));
        services.AddGrainInterfaceNames();
        builder.Host.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = (settings.ClusterId, settings.ServiceId));
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = SiloListInterval);
            client.UseRedisClustering(redis => redis.ConfigurationOptions = ClusterStore.Parse(settings.ConnectionString));
            client.UseConnectionRetryFilter<PatientStart>();
        });
        services.AddHostedService<ClusterAgreement>();
        return builder;
    }

    /// <summary>Waits for the first silo.</summary>
    private sealed class PatientStart(TimeProvider clock) : IClientConnectionRetryFilter
    {
        private readonly long _startedAt = clock.GetTimestamp();

        public async Task<bool> ShouldRetryConnectionAttempt(Exception exception, CancellationToken cancellationToken)
        {
            if (clock.GetElapsedTime(_startedAt) > ConnectTimeout)
            {
                return false;
            }

            await Task.Delay(ConnectInterval, clock, cancellationToken);
            return true;
        }
    }
}
