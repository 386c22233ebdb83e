using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Muster.ServiceDefaults.Health;

/// <summary>
/// <c>/health/live</c>: this process answers, whatever the others do. <c>/health/ready</c>: it reaches its cluster and the store.
/// Both exist on the listener of the probes only, and that listener has nothing else.
/// </summary>
public static class HealthExtensions
{
    public const string LivePath = "/health/live";

    public const string ReadyPath = "/health/ready";

    /// <summary>Marks the connections of the probes' listener.</summary>
    private static readonly object Marker = new();

    /// <summary>Adds the listener when <c>Muster:Health:Port</c> is set or <paramref name="portDefault"/> is not null.</summary>
    public static WebApplicationBuilder AddHealth<TCheck>(this WebApplicationBuilder builder, int? portDefault)
        where TCheck : class, IReadinessCheck
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddOptionsWithValidateOnStart<HealthOptions, HealthOptionsValidator>()
            .Bind(builder.Configuration.GetSection(HealthOptions.SectionName))
            .PostConfigure(options => options.Port ??= portDefault);
        builder.Services.AddSingleton<IReadinessCheck, TCheck>();
        builder.Services.AddSingleton<Readiness>();
        builder.WebHost.ConfigureKestrel(Listen);
        return builder;
    }

    /// <summary>First in the pipeline: what comes by the probes' listener ends here, and nothing else gets here.</summary>
    public static IApplicationBuilder UseHealth(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        return app.MapWhen(IsProbe, probes => probes.Run(AnswerAsync));
    }

    private static void Listen(KestrelServerOptions kestrel)
    {
        var options = kestrel.ApplicationServices.GetRequiredService<IOptions<HealthOptions>>().Value;
        if (options.Port is not { } port)
        {
            return;
        }

        if (options.Address == "*")
        {
            kestrel.ListenAnyIP(port, Mark);
        }
        else
        {
            kestrel.Listen(IPAddress.Parse(options.Address), port, Mark);
        }
    }

    private static void Mark(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection =>
        {
            connection.Items[Marker] = Marker;
            return next(connection);
        });
    }

    private static bool IsProbe(HttpContext http) => http.Features.Get<IConnectionItemsFeature>()?.Items.ContainsKey(Marker) == true;

    private static async Task AnswerAsync(HttpContext http)
    {
        var problem = http.Request.Path.Value switch
        {
            LivePath => null,
            ReadyPath => await http.RequestServices.GetRequiredService<Readiness>().FindProblemAsync(http.RequestAborted),
            _ => "",
        };
        http.Response.StatusCode = problem switch
        {
            null => StatusCodes.Status200OK,
            "" => StatusCodes.Status404NotFound,
            _ => StatusCodes.Status503ServiceUnavailable,
        };
        http.Response.ContentType = "text/plain; charset=utf-8";
        var text = problem ?? (http.Request.Path.Value == ReadyPath ? Describe(http.RequestServices) : "ok");
        await http.Response.WriteAsync(text, http.RequestAborted);
    }

    /// <summary>What does not keep the host from its other work is said, and changes no status: a balancer must not take it away.</summary>
    private static string Describe(IServiceProvider services)
    {
        var notes = services.GetServices<IHealthNote>().Select(note => note.Find()).OfType<string>().ToArray();
        return notes.Length == 0 ? "ok" : $"ok, but: {string.Join(' ', notes)}";
    }
}
