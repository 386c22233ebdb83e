using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;
using Muster.Gateway.Images;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// Wires the MQTT edge. The host provides <see cref="IGrainFactory"/>, <see cref="Contracts.Commit.PartitionMap"/>,
/// <see cref="IServerCertificate"/> and <see cref="DeviceTrust"/>, or a <see cref="DeviceIdentityVerifier"/> that never changes.
/// </summary>
public static class MqttGatewayExtensions
{
    /// <summary>
    /// What a peer may have sent that nobody has read yet. Twenty thousand sockets that wait for their handshake are strangers': with the
    /// server's default of a megabyte they are twenty gigabytes, with this one. Larger packets are put together as they are read.
    /// </summary>
    private const int UnreadBytesMax = 64 * 1024;

    public static IServiceCollection AddMqttGateway(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptionsWithValidateOnStart<MqttOptions, MqttOptionsValidator>().Bind(configuration.GetSection(MqttOptions.SectionName));
        TlsContexts.Prepare();
        services.Configure<SocketTransportOptions>(transport => transport.MaxReadBufferSize = UnreadBytesMax);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => DeviceTrust.Fixed(provider.GetRequiredService<DeviceIdentityVerifier>()));
        services.TryAddSingleton<DeviceCalls>();
        services.TryAddSingleton<DoorInstruments>();
        services.TryAddSingleton<HandshakeGate>();
        services.TryAddSingleton<DeviceTls>();
        services.AddMetrics();
        services.AddSingleton<GatewayInstruments>();
        services.AddSingleton<SessionRegistry>();
        services.AddSingleton<GatewayObserver>();
        services.AddSingleton<GatewayReference>();
        services.AddRevocationWatch();
        services.AddImageLinks(configuration);
        services.AddSingleton<SessionAdmission>();
        services.AddSingleton<UpMessages>();
        services.AddSingleton<SessionLoop>();
        services.AddSingleton<DeviceConnectionHandler>();
        services.AddHostedService<SessionSweeper>();
        services.AddPresenceOf<SessionPresenceSource>();
        return services;
    }

    /// <summary>One reporter for each source, and all of them for whoever asks for the reporters.</summary>
    internal static void AddPresenceOf<TSource>(this IServiceCollection services)
        where TSource : class, IPresenceSource
    {
        services.AddSingleton<TSource>();
        services.AddKeyedSingleton(typeof(TSource), (provider, _) =>
            ActivatorUtilities.CreateInstance<PresenceReporter>(provider, provider.GetRequiredService<TSource>()));
        services.AddSingleton(Find);

        // Not AddHostedService: it takes a second one of the same type for the first.
        services.AddSingleton<IHostedService>(Find);

        static PresenceReporter Find(IServiceProvider provider) => provider.GetRequiredKeyedService<PresenceReporter>(typeof(TSource));
    }

    /// <summary>Listens for MQTT over TLS at the configured address. There is no way to listen without TLS.</summary>
    public static void UseMqttListener(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var services = kestrel.ApplicationServices;
        var options = services.GetRequiredService<IOptions<MqttOptions>>().Value;
        var tls = services.GetRequiredService<DeviceTls>();
        ListenAt(kestrel, options.Address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.None;
            tls.Use(listen, "mqtt");
            listen.UseConnectionHandler<DeviceConnectionHandler>();
        });
    }

    internal static void ListenAt(KestrelServerOptions kestrel, string address, int port, Action<ListenOptions> configure)
    {
        if (address == "*")
        {
            kestrel.ListenAnyIP(port, configure);
        }
        else
        {
            kestrel.Listen(IPAddress.Parse(address), port, configure);
        }
    }
}
