using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>
/// The lines of the guide on AXIS OS' own events, as they stand there, with Debian's mosquitto_pub and the command line, against the
/// product in a process of its own.
/// </summary>
public sealed class AxisTests : IAsyncLifetime
{
    private const string Serial = "B8A44F00A501";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Guide = GuideBlocks.OfFile("axis-events-with-mosquitto.md");

    private readonly OneProcess _muster = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-axis-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _muster.StartAsync(CancellationToken.None);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "data"), _muster.Folder);
        var issued = _muster.Vendor.Issue(Serial, TimeProvider.System.GetUtcNow());
        await File.WriteAllTextAsync(Path.Combine(_folder, "device.pem"), issued.CertificatePem, Stop);
        await File.WriteAllTextAsync(Path.Combine(_folder, "device.key"), issued.KeyPem, Stop);
    }

    [Theory]
    [InlineData("mqttv5")]
    [InlineData("mqttv311")]
    public async Task Events_OfAStockCamera_BecomeAlarmsThatOperatorsFind(string version)
    {
        Assert.Equal(5, Guide.Length);
        await _muster.MusterAsync(
            "devices", "create", Serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        await RunAsync(version, Guide[1]);

        // Small letters as in the certificate, capitals as AXIS OS has them.
        await RunAsync(version, Guide[2]);
        Assert.Contains(Serial, await ListAsync("alarms:STORAGE_FAILURE AND alarm_at > -1h"), StringComparison.Ordinal);
        Assert.Contains("\"source\":\"SD_DISK\"", await GetAsync(), StringComparison.Ordinal);
        await RunAsync(version, Guide[3]);
        Assert.DoesNotContain(Serial, await ListAsync("alarms:STORAGE_FAILURE"), StringComparison.Ordinal);

        var foreign = await RunAsync(version, Guide[2].Replace("axis/$SERIAL/", "axis/B8A44F00A502/", StringComparison.Ordinal));
        Assert.Equal(version == "mqttv5", foreign.Contains("Not authorized", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("STORAGE_FAILURE", await GetAsync(), StringComparison.Ordinal);

        await LoseAsync(version);
    }

    public async ValueTask DisposeAsync()
    {
        await _muster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A connection with a last will that is killed.</summary>
    private async Task LoseAsync(string version)
    {
        using var process = Process.Start(Prepare(version, Guide[4]))!;
        try
        {
            await WaitForAsync("\"connected\":true");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        await WaitForAsync("\"disconnectReason\":\"CONNECTION_LOST\"");
        Assert.Contains("\"lastWill\":\"{\\\"connected\\\":false}\"", await GetAsync(), StringComparison.Ordinal);
    }

    private async Task WaitForAsync(string text)
    {
        var waited = Stopwatch.StartNew();
        while (!(await GetAsync()).Contains(text, StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < Timeout, $"No {text} in {await GetAsync()}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    private async Task<string> GetAsync() =>
        (await MusterAsync("devices", "get", Serial)).Replace(" ", "", StringComparison.Ordinal);

    private Task<string> ListAsync(string filter) => MusterAsync("devices", "list", "--filter", filter);

    private async Task<string> MusterAsync(params string[] arguments)
    {
        var (code, output, error) = await _muster.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<string> RunAsync(string version, string lines)
    {
        using var process = Process.Start(Prepare(version, lines))!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(Timeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        var text = await output + await error;
        Assert.True(process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {text}");
        return text;
    }

    private ProcessStartInfo Prepare(string version, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", $"SERIAL={Serial}\n{Guide[0]}{lines}"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MQTT_PORT"] = $"{_muster.MqttPort}";
        start.Environment["MQTT_VERSION"] = version;
        return start;
    }
}
