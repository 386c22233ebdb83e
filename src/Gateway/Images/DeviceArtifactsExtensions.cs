using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Images;

/// <summary>
/// Wires the downloads of devices. The host provides <see cref="Artifacts.IArtifactStore"/> beside what the MQTT edge needs.
/// </summary>
public static class DeviceArtifactsExtensions
{
    /// <summary>Marks the connections of the device listener, so that its endpoints exist nowhere else.</summary>
    private static readonly object Marker = new();

    public static IServiceCollection AddDeviceArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptionsWithValidateOnStart<DeviceHttpsOptions, DeviceHttpsOptionsValidator>()
            .Bind(configuration.GetSection(DeviceHttpsOptions.SectionName));
        services.TryAddSingleton<DeviceTls>();
        services.AddSingleton<DeviceDownloads>();
        return services;
    }

    /// <summary>Listens for HTTPS of devices at the configured address.</summary>
    public static void UseDeviceHttpsListener(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var services = kestrel.ApplicationServices;
        var options = services.GetRequiredService<IOptions<DeviceHttpsOptions>>().Value;
        var tls = services.GetRequiredService<DeviceTls>();
        MqttGatewayExtensions.ListenAt(kestrel, options.Address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            tls.Use(listen);
            listen.Use(next => connection =>
            {
                connection.Items[Marker] = Marker;
                return next(connection);
            });
        });
    }

    /// <summary>
    /// <c>GET</c> and <c>HEAD /v1/images/{digest}</c>, answered on the device listener only; elsewhere the path does not exist.
    /// </summary>
    public static IEndpointRouteBuilder MapDeviceArtifacts(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        endpoints
            .MapMethods(
                "/v1/images/{digest}",
                [HttpMethods.Get, HttpMethods.Head],
                (HttpContext http, string digest, DeviceDownloads downloads) => downloads.GetAsync(http, digest))
            .AddEndpointFilter(async (context, next) =>
                IsDeviceListener(context.HttpContext) ? await next(context) : TypedResults.NotFound())
            .ExcludeFromDescription();
        return endpoints;
    }

    /// <summary>True for a request that came by the device listener; everything else on it has to be refused.</summary>
    public static bool IsDeviceListener(HttpContext http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return http.Features.Get<Microsoft.AspNetCore.Connections.Features.IConnectionItemsFeature>()?.Items.ContainsKey(Marker) == true;
    }
}
