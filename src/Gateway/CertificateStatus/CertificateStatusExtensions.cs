using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Muster.Gateway.Hosting;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.CertificateStatus;

/// <summary>
/// Wires the listener for relying parties: plain HTTP and nobody proves who he is, because whoever checks a certificate cannot check
/// another one for it first (RFC 5280 8), and what is said is signed. Nothing else is there.
/// </summary>
public static class CertificateStatusExtensions
{
    private static readonly object Marker = new();

    public static IServiceCollection AddCertificateStatus(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddOptionsWithValidateOnStart<CertificateStatusOptions, CertificateStatusOptionsValidator>()
            .Bind(configuration.GetSection(CertificateStatusOptions.SectionName));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<PublishedLists>();
        services.AddSingleton<OcspGate>();
        services.AddSingleton<CertificateStatusService>();
        return services;
    }

    /// <summary>Listens at the configured address, if a port is configured.</summary>
    public static void UseCertificateStatusListener(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<CertificateStatusOptions>>().Value;
        if (options.Port is not { } port)
        {
            return;
        }

        MqttGatewayExtensions.ListenAt(kestrel, options.Address, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            new ConnectionLimit(options.ConnectionsMax).Use(listen);
            listen.Use(next => connection =>
            {
                connection.Items[Marker] = Marker;
                return next(connection);
            });
        });
    }

    /// <summary>The lists and the responder; by any other listener they are not there, and by this one nothing else is.</summary>
    public static IEndpointRouteBuilder MapCertificateStatus(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var status = endpoints.MapGroup("")
            .AddEndpointFilter(async (context, next) =>
                IsStatusListener(context.HttpContext) ? await next(context) : TypedResults.NotFound())
            .ExcludeFromDescription();
        status.MapMethods(
            "/crl/fleet-ca-{generation:int:range(1,1000000)}.crl",
            [HttpMethods.Get, HttpMethods.Head],
            (HttpContext http, int generation, CertificateStatusService service) => service.GetListAsync(http, generation));
        status.MapPost("/ocsp", (HttpContext http, CertificateStatusService service) => service.PostAsync(http));
        status.MapGet("/ocsp/{**request}", (HttpContext http, CertificateStatusService service) => service.GetAsync(http));
        return endpoints;
    }

    private static bool IsStatusListener(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(Marker) == true;
}
