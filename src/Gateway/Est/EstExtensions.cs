using Muster.Gateway.Images;

namespace Muster.Gateway.Est;

/// <summary>
/// Wires EST (RFC 7030, RFC 8951) into the listener for HTTPS of devices. The host provides what the MQTT edge needs, and the fleet CA's
/// certificates (<see cref="Cryptography.Certificates.FleetTrust"/>); without them every call says that there is none.
/// </summary>
public static class EstExtensions
{
    private const string Root = "/.well-known/est";

    public static IServiceCollection AddEst(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<EstService>();
        return services;
    }

    /// <summary>The four calls, answered on the device listener only; elsewhere the paths do not exist.</summary>
    public static IEndpointRouteBuilder MapEst(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var est = endpoints.MapGroup(Root)
            .AddEndpointFilter<RouteGroupBuilder, DeviceListenerFilter>()
            .ExcludeFromDescription();
        est.MapGet("/cacerts", (HttpContext http, EstService service) => service.GetAuthoritiesAsync(http));
        est.MapGet("/csrattrs", (HttpContext http, EstService service) => service.GetAttributesAsync(http));
        est.MapPost("/simpleenroll", (HttpContext http, EstService service) => service.EnrollAsync(http));
        est.MapPost("/simplereenroll", (HttpContext http, EstService service) => service.RenewAsync(http));
        return endpoints;
    }
}
