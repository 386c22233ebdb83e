using System.Net;
using System.Text;

namespace Muster.Scenarios.Tests;

/// <summary>A host that is told where telemetry goes sends its own figures there, over OTLP.</summary>
public sealed class TelemetryTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Host_WithAnExporterEndpoint_SendsItsMetricsAndTracesThere()
    {
        var address = $"http://127.0.0.1:{OneProcess.FreePorts(1)[0]}/";
        using var collector = new HttpListener { Prefixes = { address } };
        collector.Start();
        await using var muster = new OneProcess();
        muster.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = address;
        muster.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        muster.Settings["OTEL_METRIC_EXPORT_INTERVAL"] = "500";
        await SimulatorProgram.MakeVendorAsync(muster, TestContext.Current.CancellationToken);
        await muster.StartAsync(TestContext.Current.CancellationToken);
        await using var fleet = SimulatorProgram.StartFleet(muster, devices: 1);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Timeout);

        // In protobuf a name is the name as it is. Counted are the connections of a device that nobody expects, traced is the
        // administrator's call by which the start was seen.
        var missing = new HashSet<string> { "/v1/metrics muster_mqtt_connections_total", "/v1/traces muster.v1.Operators/WhoAmI" };
        while (missing.Count > 0)
        {
            var request = await collector.GetContextAsync().WaitAsync(limit.Token);
            using var body = new MemoryStream();
            await request.Request.InputStream.CopyToAsync(body, limit.Token);
            var text = Encoding.Latin1.GetString(body.ToArray());
            missing.RemoveWhere(wanted => wanted.Split(' ') is [var path, var name]
                && request.Request.Url!.AbsolutePath == path && text.Contains(name, StringComparison.Ordinal));
            request.Response.Close();
        }
    }
}
