using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Gateway.Hosting;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Images;

/// <summary>
/// Wires the downloads of devices. The host provides <see cref="Artifacts.IArtifactStore"/> beside what the MQTT edge needs.
/// </summary>
public static class DeviceArtifactsExtensions
{
    /// <summary>What the listener is called where doors are counted.</summary>
    private const string Door = "https";

    /// <summary>Marks the connections of the device listener, so that its endpoints exist nowhere else.</summary>
    private static readonly object Marker = new();

    /// <summary>Marks those of a proxy that ended TLS: images by their links, and nothing else.</summary>
    private static readonly object LinkMarker = new();

    public static IServiceCollection AddDeviceArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptionsWithValidateOnStart<DeviceHttpsOptions, DeviceHttpsOptionsValidator>()
            .Bind(configuration.GetSection(DeviceHttpsOptions.SectionName));
        services.TryAddSingleton<DeviceTls>();
        services.AddSingleton<IStartupFilter, StrangersGoFilter>();
        services.AddSingleton<DevicePlaces>();
        services.AddSingleton<TransferPlaces>();
        services.AddSingleton<DeviceDownloads>();
        return services;
    }

    /// <summary>Listens for HTTPS of devices at the configured address, and without TLS for a proxy if there is one.</summary>
    public static void UseDeviceHttpsListener(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var services = kestrel.ApplicationServices;
        var options = services.GetRequiredService<IOptions<DeviceHttpsOptions>>().Value;
        var tls = services.GetRequiredService<DeviceTls>();
        var (clock, places) = (services.GetRequiredService<TimeProvider>(), services.GetRequiredService<DevicePlaces>());
        var access = services.GetRequiredService<OpenConnections>();
        var doors = services.GetRequiredService<DoorInstruments>();
        MqttGatewayExtensions.ListenAt(kestrel, options.Address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;

            // Counted behind TLS: sockets that shake hands or wait for it have bounds of their own, and take no device's place.
            var limit = new ConnectionLimit(options.ConnectionsMax);
            limit.UseInFrontOfTls(listen, () => doors.TurnedAway(Door, TurnedAway.Full));
            tls.Use(listen, Door);
            limit.Use(listen, () => doors.TurnedAway(Door, TurnedAway.FullBehindHandshake));
            listen.Use(next => async connection =>
            {
                connection.Items[Marker] = Marker;
                if (DevicePeer.Of(connection.Items) is not { Result.Identity: { } identity } peer)
                {
                    using var end = clock.CreateTimer(
                        _ => connection.Abort(), null, options.StrangerTimeout, Timeout.InfiniteTimeSpan);
                    await next(connection);
                    return;
                }

                var address = new DeviceAddress(peer.Tenant, identity.Device);
                using var place = places.TryTake(address);
                if (place is null)
                {
                    doors.TurnedAway(Door, TurnedAway.DeviceFull);
                    return;
                }

                using var open = access.Open(address, identity, connection.Abort);
                connection.Items[typeof(DevicePlaces.Place)] = place;
                await next(connection);
            });
        });
        UseLinkListener(kestrel, options.ConnectionsMax);
    }

    private static void UseLinkListener(KestrelServerOptions kestrel, int connectionsMax)
    {
        var downloads = kestrel.ApplicationServices.GetRequiredService<IOptions<DownloadOptions>>().Value;
        if (downloads.LinkPort == 0)
        {
            return;
        }

        MqttGatewayExtensions.ListenAt(kestrel, downloads.LinkAddress, downloads.LinkPort, listen =>
        {
            // Not HTTP/2: a download is broken off with its connection, which must not be another device's too.
            listen.Protocols = HttpProtocols.Http1;
            new ConnectionLimit(connectionsMax).Use(listen);
            listen.Use(next => connection =>
            {
                connection.Items[LinkMarker] = LinkMarker;
                return next(connection);
            });
        });
    }

    /// <summary>
    /// <c>GET</c> and <c>HEAD /v1/images/{digest}</c>, answered on the device listener and on the proxy's only; elsewhere the path does not
    /// exist.
    /// </summary>
    public static IEndpointRouteBuilder MapDeviceArtifacts(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints
            .MapMethods(
                "/v1/images/{digest}",
                [HttpMethods.Get, HttpMethods.Head],
                (HttpContext http, string digest, DeviceDownloads downloads) => downloads.GetAsync(http, digest))
            .AddEndpointFilter<RouteHandlerBuilder, ImageListenerFilter>()
            .ExcludeFromDescription();
        return endpoints;
    }

    /// <summary>The place that the device of a request has at the listener.</summary>
    internal static DevicePlaces.Place? PlaceOf(HttpContext http) =>
        http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items
            .TryGetValue(typeof(DevicePlaces.Place), out var place) == true ? place as DevicePlaces.Place : null;

    /// <summary>True for a request that came by the device listener; everything else on it has to be refused.</summary>
    public static bool IsDeviceListener(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return IsMarked(http, Marker);
    }

    /// <summary>True for a request that came by a proxy that ended TLS: a link is all that it has.</summary>
    internal static bool IsLinkListener(HttpContext http) => IsMarked(http, LinkMarker);

    private static bool IsMarked(HttpContext http, object marker) =>
        http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items.ContainsKey(marker) == true;
}
