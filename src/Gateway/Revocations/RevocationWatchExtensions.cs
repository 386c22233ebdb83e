namespace Muster.Gateway.Revocations;

/// <summary>Wires the watch of revocations, which every door for devices asks.</summary>
internal static class RevocationWatchExtensions
{
    public static IServiceCollection AddRevocationWatch(this IServiceCollection services)
    {
        services.AddSingleton<WatchedPartitions>();
        services.AddSingleton<OpenDownloads>();
        services.AddSingleton<OpenConnections>();
        services.AddSingleton<ServedImages>();
        services.AddSingleton<OpenAccess>();
        services.AddSingleton<AdmissionGate>();
        services.AddHostedService<RevocationWatch>();
        return services;
    }
}
