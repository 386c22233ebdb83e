using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>
/// A maker that nobody knew: its CA made with openssl, its device played by mosquitto's clients, its anchor added and removed with the
/// command line while the product runs.
/// </summary>
public sealed class AnchorTests : IAsyncLifetime
{
    private const string Serial = "ACME-000001";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly OneProcess _muster = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-anchors-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _muster.StartAsync(CancellationToken.None);
        await RunAsync("""
            NEW="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365"
            CA="-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
            $NEW -subj "/O=Acme/CN=Acme root" -addext keyUsage=critical,keyCertSign -keyout root.key -out root.pem
            $NEW -subj "/O=Acme/CN=Acme devices" -CA root.pem -CAkey root.key $CA -keyout mid.key -out mid.pem
            $NEW -subj "/CN=device/serialNumber=$SERIAL" -CA mid.pem -CAkey mid.key -addext basicConstraints=critical,CA:FALSE \
              -keyout device.key -out device.pem
            cat root.pem mid.pem > acme.pem
            """);
        var (code, _, error) = await _muster.MusterAsync(
            "devices", "create", Serial, "--model", "A1", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        Assert.True(code == 0, error);
    }

    [Fact]
    public async Task Anchors_OfANewMaker_AdmitItsDevicesFromTheAdditionToTheRemoval()
    {
        await AssertRefusedAsync();

        await MusterAsync("anchors", "add", "acme", In("acme.pem"), "--device-profile", "ieee8021ar", "--serials", "ACME-");
        await WaitAsync(async () => (await HelloAsync()).Code == 0);
        Assert.Contains("IN_SERVICE", await MusterAsync("devices", "get", Serial), StringComparison.Ordinal);

        // The same again changes nothing, and a restart forgets nothing.
        Assert.Contains("Acme devices", await MusterAsync(
            "anchors", "add", "acme", In("acme.pem"), "--device-profile", "ieee8021ar", "--serials", "ACME-"), StringComparison.Ordinal);
        _muster.Kill();
        await _muster.StartAsync(Stop);
        Assert.Contains("/anchors/acme", await MusterAsync("anchors", "list"), StringComparison.Ordinal);
        using var receiver = Start("exec mosquitto_sub $MQTT -i $SERIAL -v -t muster/v1/devices/$SERIAL/down/#");
        await WaitAsync(IsConnectedAsync);

        await MusterAsync("anchors", "remove", "acme");
        await WaitAsync(async () => !await IsConnectedAsync());
        await AssertRefusedAsync();
        Assert.Equal(1, (await _muster.MusterAsync("anchors", "get", "acme")).Code);
        receiver.Kill(entireProcessTree: true);
    }

    [Fact]
    public async Task Anchors_ThatCannotBeTaken_AreRefusedWithTheReason()
    {
        await RunAsync("cat acme.pem root.key > leaked.pem; tail -n +2 root.pem > torn.pem");

        Assert.StartsWith("ANCHOR_PRIVATE_KEY", await RefusedAsync("leaked.pem", "ieee8021ar"), StringComparison.Ordinal);
        Assert.StartsWith("ANCHOR_INVALID", await RefusedAsync("torn.pem", "ieee8021ar"), StringComparison.Ordinal);
        Assert.StartsWith("ANCHOR_ROOT_MISSING", await RefusedAsync("mid.pem", "ieee8021ar"), StringComparison.Ordinal);
        Assert.StartsWith("ANCHOR_CERTIFICATE_INVALID", await RefusedAsync("device.pem", "ieee8021ar"), StringComparison.Ordinal);
        Assert.StartsWith("ANCHOR_CERTIFICATE_INVALID", await RefusedAsync("acme.pem", "axis"), StringComparison.Ordinal);
        Assert.Equal("", await MusterAsync("anchors", "list"));
        await AssertRefusedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _muster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AssertRefusedAsync()
    {
        // mosquitto's clients give 5 for CONNACK 0x87, not authorized.
        var (code, text) = await HelloAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("not auth", text, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<bool> IsConnectedAsync() =>
        (await MusterAsync("devices", "get", Serial)).Replace(" ", "", StringComparison.Ordinal)
            .Contains("\"connected\":true", StringComparison.Ordinal);

    private Task<(int Code, string Text)> HelloAsync() => TryAsync("""
        mosquitto_pub $MQTT -i $SERIAL/tools -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
          "sequence":1},"serial":"'$SERIAL'","model":"A1","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
        """);

    private async Task<string> MusterAsync(params string[] arguments)
    {
        var (code, output, error) = await _muster.MusterAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private async Task<string> RefusedAsync(string file, string profile)
    {
        var (code, _, error) = await _muster.MusterAsync("anchors", "add", "acme", In(file), "--device-profile", profile);
        Assert.Equal(1, code);
        return error;
    }

    private string In(string file) => Path.Combine(_folder, file);

    private static async Task WaitAsync(Func<Task<bool>> holds)
    {
        var waited = Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(waited.Elapsed < Timeout, "It did not come.");
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
    }

    private async Task RunAsync(string lines)
    {
        var (code, text) = await TryAsync(lines);
        Assert.True(code == 0, text);
    }

    private async Task<(int Code, string Text)> TryAsync(string lines)
    {
        using var process = Start(lines);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(Timeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        return (process.ExitCode, await output + await error);
    }

    private Process Start(string lines)
    {
        const string Mqtt = "-V mqttv5 -h localhost -p $MQTT_PORT -q 1 --cafile $DATA/pki/server-ca.pem --cert device.pem --key device.key";
        var start = new ProcessStartInfo("bash", ["-ec", $"MQTT=\"{Mqtt}\"\n{lines}"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SERIAL"] = Serial;
        start.Environment["DATA"] = _muster.Folder;
        start.Environment["MQTT_PORT"] = $"{_muster.MqttPort}";
        return Process.Start(start)!;
    }
}
