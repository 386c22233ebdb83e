using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;
using Muster.ServiceDefaults.Health;

namespace Muster.Gateway.Broker;

/// <summary>
/// Wires the way through a shared broker, beside the devices' own listener: there devices enrol and renew their certificates.
/// </summary>
public static class BrokerGatewayExtensions
{
    public static IServiceCollection AddSharedBroker(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        var section = configuration.GetSection(BrokerOptions.SectionName);
        services.AddOptionsWithValidateOnStart<BrokerOptions, BrokerOptionsValidator>().Bind(section);
        services.AddOptionsWithValidateOnStart<BrokerOptions, BrokerOptionsCrossValidator>();
        if (string.IsNullOrEmpty(section[nameof(BrokerOptions.Address)]))
        {
            return services;
        }

        services.AddSingleton<BrokerTls>();
        services.AddSingleton<BrokerConnections>();
        services.AddSingleton<IHealthNote>(provider => provider.GetRequiredService<BrokerConnections>());
        services.AddSingleton<BrokerInstruments>();
        services.AddSingleton<BrokerDevices>();
        services.AddSingleton<ISessionsBehind>(provider => provider.GetRequiredService<BrokerDevices>());
        services.AddSingleton<BrokerOutbox>();
        services.AddSingleton<BrokerObserver>();
        services.AddSingleton<BrokerReference>();
        services.AddSingleton<BrokerMessages>();
        services.AddSingleton<BrokerInbox>();
        services.AddHostedService<BrokerService>();
        services.AddPresenceOf<BrokerPresenceSource>();
        return services;
    }
}
