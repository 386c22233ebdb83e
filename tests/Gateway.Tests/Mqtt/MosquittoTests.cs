using System.Diagnostics;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Runs the lines of <c>docs/developer/device-with-mosquitto.md</c> as they stand there, with Debian's clients.</summary>
public sealed class MosquittoTests : IAsyncDisposable
{
    private const string Serial = "CAM-000001";

    private static readonly string[] Blocks = ReadBlocks();

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-mosquitto-").FullName;

    [Theory]
    [InlineData("mqttv5")]
    [InlineData("mqttv311")]
    public async Task Lines_OfTheGuide_MakeADeviceThatSaysHelloReceivesAndReports(string version)
    {
        await RunAsync(port: 0, version, Blocks[1]);
        await RunAsync(port: 0, version, Blocks[2]);
        var pki = new TestPki();
        Directory.CreateDirectory(Path.Combine(_folder, "data", "pki"));
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "data", "pki", "server-ca.pem"), pki.ServerCaPem, TestContext.Current.CancellationToken);
        var trust = TrustStore.Load(Path.Combine(_folder, "data", "trust", "devices"));
        await using var edge = await DeviceEdge.StartAsync(pki, new DeviceIdentityVerifier(trust));
        var device = edge.Grains.Device(Serial);
        var unknown = FleetError.Of(ErrorKind.Precondition, "GENERATION_UNKNOWN", "Generation 1 was never issued.");
        device.Answer = command => Task.FromResult(command is ReportProgress ? unknown : null);

        using var receiver = Start(edge.MqttPort, version, Blocks[3]);
        var output = new List<string>();
        receiver.OutputDataReceived += (_, line) => Add(output, line.Data);
        receiver.ErrorDataReceived += (_, line) => Add(output, line.Data);
        receiver.BeginOutputReadLine();
        receiver.BeginErrorReadLine();
        try
        {
            await Eventually.TrueAsync(() => device.Receiver is not null, "mosquitto_sub connects");
            await RunAsync(edge.MqttPort, version, Blocks[4]);
            await device.SendAsync(new DesiredMessage(new DesiredState(1, null, null)));
            await RunAsync(edge.MqttPort, version, Blocks[5]);

            await Eventually.TrueAsync(() => Has(output, "/down/ack {"), "an ack at mosquitto_sub");
            await Eventually.TrueAsync(() => Has(output, "/down/desired {"), "a desired document at mosquitto_sub");
            await Eventually.TrueAsync(() => Has(output, "GENERATION_UNKNOWN"), "a rejection at mosquitto_sub");
            Assert.Collection(
                device.Received,
                command => Assert.Equal("P3265-V", Assert.IsType<ReportHello>(command).Model),
                command => Assert.Equal(41.5, Assert.IsType<ReportStatus>(command).Health.TemperatureCelsius));
        }
        finally
        {
            receiver.Kill(entireProcessTree: true);
            await receiver.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Publish_ToAnotherDevicesTopic_IsRefused()
    {
        await RunAsync(port: 0, "mqttv5", Blocks[1]);
        await RunAsync(port: 0, "mqttv5", Blocks[2]);
        var pki = new TestPki();
        Directory.CreateDirectory(Path.Combine(_folder, "data", "pki"));
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "data", "pki", "server-ca.pem"), pki.ServerCaPem, TestContext.Current.CancellationToken);
        var trust = TrustStore.Load(Path.Combine(_folder, "data", "trust", "devices"));
        await using var edge = await DeviceEdge.StartAsync(pki, new DeviceIdentityVerifier(trust));

        var lines = Blocks[4].Replace("devices/$SERIAL/up", "devices/CAM-000009/up", StringComparison.Ordinal);
        var output = await RunAsync(edge.MqttPort, "mqttv5", lines, expectSuccess: false);

        Assert.Contains("Not authorized", output, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(edge.Grains.Device("CAM-000009").Received);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static void Add(List<string> output, string? line)
    {
        lock (output)
        {
            output.Add(line ?? string.Empty);
        }
    }

    private static bool Has(List<string> output, string text)
    {
        lock (output)
        {
            return output.Exists(line => line.Contains(text, StringComparison.Ordinal));
        }
    }

    private async Task<string> RunAsync(int port, string version, string lines, bool expectSuccess = true)
    {
        using var process = Start(port, version, lines);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        var text = await output + await error;
        Assert.True(!expectSuccess || process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {text}");
        return text;
    }

    private Process Start(int port, string version, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", lines.Replace("mqttv5", version, StringComparison.Ordinal)])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MUSTER_DATA"] = Path.Combine(_folder, "data");
        start.Environment["SERIAL"] = Serial;
        start.Environment["HOST"] = "localhost";
        start.Environment["PORT"] = port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Process.Start(start)!;
    }

    /// <summary>The <c>sh</c> blocks of the guide, in order.</summary>
    private static string[] ReadBlocks()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Orleans.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("No Orleans.sln above the tests.");
        }

        var guide = File.ReadAllText(Path.Combine(folder.FullName, "docs", "developer", "device-with-mosquitto.md"));
        return [.. guide.Split("```sh\n").Skip(1).Select(part => part[..part.IndexOf("```", StringComparison.Ordinal)])];
    }
}
