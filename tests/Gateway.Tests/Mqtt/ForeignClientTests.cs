using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using Muster.Contracts.Devices;
using Muster.Gateway.Tests.Broker;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Devices made of clients that nobody here wrote: Eclipse Paho (Python) and MQTT.js, which <c>./test</c> installs.</summary>
public sealed class ForeignClientTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string NodeModules =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "tools", "mqtt-clients", "node_modules"));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-clients-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("/usr/bin/python3", "device.py", "5", DeviceWay.Listener)]
    [InlineData("/usr/bin/python3", "device.py", "4", DeviceWay.Listener)]
    [InlineData("node", "device.cjs", "5", DeviceWay.Listener)]
    [InlineData("node", "device.cjs", "4", DeviceWay.Listener)]
    [InlineData("/usr/bin/python3", "device.py", "5", DeviceWay.Broker)]
    [InlineData("/usr/bin/python3", "device.py", "4", DeviceWay.Broker)]
    [InlineData("node", "device.cjs", "5", DeviceWay.Broker)]
    [InlineData("node", "device.cjs", "4", DeviceWay.Broker)]
    public async Task Device_OfAForeignClient_SaysHelloReceivesReportsAndLeaves(
        string program, string script, string version, DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way);
        var device = edge.Grains.Device(Samples.Serial);
        using var process = Start(edge, program, script, version);
        var lines = new ConcurrentQueue<string>();
        var reading = Task.WhenAll(ReadAsync(process.StandardOutput, lines), ReadAsync(process.StandardError, lines));
        try
        {
            await Eventually.TrueAsync(
                () => lines.Any(line => line.StartsWith("ack ", StringComparison.Ordinal)) || process.HasExited, "an ack of the hello");
            Assert.False(process.HasExited, string.Join('\n', lines));
            await device.SendAsync(Samples.Desired(3));

            await process.WaitForExitAsync(Cancel).WaitAsync(Timeout, Cancel);
            await reading.WaitAsync(Timeout, Cancel);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        Assert.DoesNotContain(lines, line => line.StartsWith("error", StringComparison.Ordinal));
        var (receive, aliases) = (version, way) switch
        {
            ("5", DeviceWay.Listener) => ("64", "16"),
            ("5", _) => ("1000", "10"),
            _ => ("None", "None"),
        };
        Assert.Contains($"connected 0 receive_maximum {receive} topic_alias_maximum {aliases}", lines);
        Assert.Contains("subscribed 1", lines);
        Assert.Contains(lines, line => line.StartsWith("desired {", StringComparison.Ordinal));
        Assert.Contains("left 0", lines);
        await Eventually.TrueAsync(() => device.Received.Count >= 2, "the report");
        Assert.Collection(
            device.Received,
            status => Assert.IsType<ReportStatus>(status),
            status => Assert.IsType<ReportStatus>(status),
            hello => Assert.IsType<ReportHello>(hello),
            report => Assert.Equal(3, Assert.IsType<ReportProgress>(report).Generation));

        // Behind a broker no connection is seen: the first word joins the session that is open, and a hello begins one.
        Assert.Equal(way == DeviceWay.Listener ? [false] : [true, false], device.Admitted.Select(admitted => admitted.Joins));
        if (way == DeviceWay.Listener)
        {
            await Eventually.TrueAsync(() => device.Disconnected.Count == 1, "the end of the session");
        }
    }

    private static async Task ReadAsync(StreamReader output, ConcurrentQueue<string> lines)
    {
        while (await output.ReadLineAsync(Cancel) is { } line)
        {
            lines.Enqueue(line);
        }
    }

    private Process Start(DeviceEdge edge, string program, string script, string version)
    {
        using var certificate = edge.IssueDevice(Samples.Serial);
        var start = new ProcessStartInfo(program, Path.Combine(AppContext.BaseDirectory, "Clients", script))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NODE_PATH"] = NodeModules;
        start.Environment["SERIAL"] = Samples.Serial;
        start.Environment["PORT"] = $"{edge.DevicePort}";
        start.Environment["VERSION"] = version;
        start.Environment["CA"] = Write("ca.pem", edge.Pki.ServerCaPem);
        start.Environment["CERTIFICATE"] = Write("device.pem", certificate.ExportCertificatePem());
        start.Environment["KEY"] = Write("device.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        start.Environment["HELLO"] = Samples.Hello(Samples.Serial);
        start.Environment["STATUS"] = Samples.Status();
        start.Environment["TRACE"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        start.Environment["REPORT"] =
            Samples.Report(sequence: 2).Replace("\"generation\":1", "\"generation\":GENERATION", StringComparison.Ordinal);
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
