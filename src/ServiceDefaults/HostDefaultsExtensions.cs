using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Muster.ServiceDefaults;

/// <summary>What every host has in common: how it logs, how long it may take to leave, where its telemetry goes.</summary>
public static class HostDefaultsExtensions
{
    /// <summary>Above the framework's 30 s: a silo with a million activations was measured to need 16 s alone.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The variable that OpenTelemetry itself reads; without it nothing is collected.</summary>
    private const string ExporterEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static WebApplicationBuilder AddHostDefaults(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);

        // Their information is a line per placed grain and retry; configuration can lower the level again.
        builder.Logging.AddFilter("Orleans", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning);

        // Two lines per request, and a probe asks every five seconds; the edge logs its refusals itself.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        if (!string.IsNullOrEmpty(builder.Configuration[ExporterEndpoint]))
        {
            builder.Services.AddOpenTelemetry()
                .WithMetrics(metrics => metrics
                    .AddMeter("Muster.*", "Microsoft.Orleans", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime")
                    .AddOtlpExporter())
                // Of operators' calls, downloads, and those messages whose device names a trace. Orleans would have to wrap every grain
                // call to trace it, also those of all other messages.
                .WithTracing(traces => traces.AddAspNetCoreInstrumentation().AddSource("Muster.*").AddOtlpExporter());
        }

        return builder;
    }
}
