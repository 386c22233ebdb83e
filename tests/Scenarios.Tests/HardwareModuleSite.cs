using System.Diagnostics;
using System.Globalization;

namespace Muster.Scenarios.Tests;

/// <summary>
/// The product in a process of its own with its fleet CA's key in a token of SoftHSM, and devices made of Debian's curl, openssl and
/// mosquitto_pub, by the lines of the guide on EST.
/// </summary>
internal sealed class HardwareModuleSite : IAsyncDisposable
{
    public const string Pin = "24681357";

    public const string SoftHsm = "/usr/lib/softhsm/libsofthsm2.so";

    public static readonly string[] Guide = GuideBlocks.OfFile("est-with-curl.md");

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    private readonly string _module;
    private readonly int _statusPort = OneProcess.FreePorts(1)[0];

    /// <param name="module">The library that the silo loads: SoftHSM's own, or one behind which SoftHSM is.</param>
    public HardwareModuleSite(string module = SoftHsm)
    {
        _module = module;
        Muster.Settings["SOFTHSM2_CONF"] = Configuration;
        Muster.Settings["Muster__Pki__Pkcs11"] = Uri;
        Muster.Settings["Muster__CertificateStatus__Port"] = $"{_statusPort}";
        Muster.Settings["Muster__CertificateStatus__BaseUrl"] = $"http://localhost:{_statusPort}";
    }

    public OneProcess Muster { get; } = new();

    public string Folder { get; } = Directory.CreateTempSubdirectory("muster-hsm-").FullName;

    /// <summary>SoftHSM's configuration, for whoever loads it.</summary>
    public string Configuration => Path.Combine(Folder, "softhsm2.conf");

    public string Uri => $"pkcs11:token=fleet?module-path={_module}&pin-source={Folder}/pin";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The token, empty, and the file with its PIN.</summary>
    public async Task CreateTokenAsync()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "tokens"));
        await File.WriteAllTextAsync(
            Configuration, $"directories.tokendir = {Folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", Stop);
        Directory.CreateSymbolicLink(Path.Combine(Folder, "data"), Muster.Folder);
        await RunAsync("nobody", $"""
            softhsm2-util --init-token --free --label fleet --pin {Pin} --so-pin 13572468
            (umask 077; echo {Pin} > pin)
            """);
    }

    /// <summary>The device is expected, and has said hello with its maker's certificate.</summary>
    public async Task ExpectAsync(string serial)
    {
        var maker = Directory.CreateDirectory(Path.Combine(Folder, serial)).FullName;
        var issued = Muster.Vendor.Issue(serial, TimeProvider.System.GetUtcNow());
        await File.WriteAllTextAsync(Path.Combine(maker, "device.pem"), issued.CertificatePem, Stop);
        await File.WriteAllTextAsync(Path.Combine(maker, "device.key"), issued.KeyPem, Stop);
        var (code, _, error) = await Muster.MusterAsync(
            "devices", "create", serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        Assert.True(code == 0, error);
        await RunAsync(serial, """
            mosquitto_pub -V mqttv5 -h localhost -p $MQTT_PORT -q 1 --cafile data/pki/server-ca.pem --cert $MAKER/device.pem \
              --key $MAKER/device.key -i $SERIAL/tools -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
              "sequence":1},"serial":"'$SERIAL'","model":"P3265-V","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
            """);
    }

    /// <summary>A key of the device's own, and its request for a certificate in <c>$MAKER/request</c>.</summary>
    public Task RequestAsync(string serial) => RunAsync(
        serial, "$KEY -out $MAKER/own.key; openssl req -new -key $MAKER/own.key -subj / -outform DER | base64 > $MAKER/request");

    /// <summary>Asks for a certificate with <see cref="RequestAsync"/>'s request, which gets <c>$MAKER/answer</c>.</summary>
    public async Task<(string Status, TimeSpan Took)> EnrollAsync(
        string serial, string request = "$MAKER/request", string answer = "$MAKER/answer")
    {
        var said = await RunAsync(serial, $$"""
            curl --silent --show-error --cacert data/pki/server-ca.pem --cert $MAKER/device.pem --key $MAKER/device.key -H "$PKCS10" \
              --data-binary @{{request}} -D $MAKER/headers -o {{answer}} -w '%{http_code} %{time_total}' $EST/simpleenroll
            """);
        var parts = said.Trim().Split(' ');
        return (parts[0], TimeSpan.FromSeconds(double.Parse(parts[1], CultureInfo.InvariantCulture)));
    }

    /// <summary>What was answered last, with its headers.</summary>
    public Task<string> AnswerAsync(string serial) => RunAsync(serial, "cat $MAKER/answer; grep -i ^retry-after $MAKER/headers");

    /// <summary>What the silo says that does not start.</summary>
    public Task<string> StartInVainAsync() => RunAsync("nobody", $"""
        export Muster__Data__Directory=$PWD/data Muster__Pki__Pkcs11='{Uri}'
        dotnet {Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")} 2>&1 && exit 9 || test $? = 1
        """);

    /// <summary>Runs lines as one device, after the guide's first ones.</summary>
    public async Task<string> RunAsync(string serial, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", $"SERIAL={serial} MAKER={serial}\n{Guide[0]}{lines}"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in Muster.Settings)
        {
            start.Environment[name] = value;
        }

        start.Environment["HTTPS_PORT"] = $"{Muster.HttpsPort}";
        start.Environment["STATUS_PORT"] = $"{_statusPort}";
        start.Environment["MQTT_PORT"] = $"{Muster.MqttPort}";
        using var process = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(Timeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.True(process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {await output}{await error}");
        return await output;
    }

    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var patience = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(patience.Elapsed < Timeout, "It did not come to pass.");
            await Task.Delay(TimeSpan.FromMilliseconds(500), Stop);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Muster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
