using System.Diagnostics;
using System.Globalization;
using Muster.Scenarios.Tests.BadInput;

namespace Muster.Scenarios.Tests;

/// <summary>
/// The lines of the guide on EST, as they stand there, with Debian's curl, openssl and mosquitto_pub, against the product in a process of
/// its own; and the calls that get no certificate.
/// </summary>
public sealed class EstTests : IAsyncLifetime
{
    private const string Serial = "B8A44F00E501";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Guide = BlocksOfGuide();

    private readonly OneProcess _muster = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-est-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _muster.StartAsync(CancellationToken.None);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "data"), _muster.Folder);
    }

    [Fact]
    public async Task Est_ByCurlAndOpenSsl_EnrolsAndRenews()
    {
        Assert.Equal(5, Guide.Length);
        await ExpectAsync(Serial);
        await HelloAsync(Serial);

        Assert.Contains("prime256v1", await RunAsync(Serial, Guide[1]), StringComparison.Ordinal);
        Assert.Contains("device.pem: OK", await RunAsync(Serial, Guide[2]), StringComparison.Ordinal);
        await RunAsync(Serial, Guide[3]);
        Assert.Contains("next.pem: OK", await RunAsync(Serial, Guide[4]), StringComparison.Ordinal);

        // Whoever lost the answer asks again and has the same bytes; the maker's certificate does not renew what has not ended.
        var again = Guide[4].Split('\n', 2)[1].Replace("next.pem", "again.pem", StringComparison.Ordinal);
        await RunAsync(Serial, again);
        await RunAsync(Serial, "cmp $OWN/next.pem $OWN/again.pem");
        Assert.Equal(
            "403 CERTIFICATE_WRONG_FOR_CALL", await PostAsync(Serial, "simplereenroll", "$MAKER/device.pem", "$MAKER/device.key"));
        Assert.Equal("403 CERTIFICATE_OVERLAP", await PostAsync(Serial, "simplereenroll", "$OWN/next.pem", "$OWN/next.key"));

        await _muster.MusterAsync("devices", "quarantine", Serial, "--cause", "looks odd");
        Assert.Equal("403 DEVICE_NOT_IN_SERVICE", await PostAsync(Serial, "simplereenroll", "$OWN/next.pem", "$OWN/next.key"));
    }

    [Theory]
    [InlineData("B8A44F00E502", "expected", "403 DEVICE_NOT_ENROLLED")]
    [InlineData("B8A44F00E503", "waits", "202 ")]
    [InlineData("B8A44F00E504", "unknown", "403 DEVICE_NOT_EXPECTED")]
    public async Task Est_OfADeviceThatIsNotInService_GivesNoCertificate(string serial, string kind, string answer)
    {
        await IssueMakersAsync(serial);
        if (kind != "unknown")
        {
            await ExpectAsync(serial, kind == "waits" ? ["--manual"] : []);
        }

        if (kind == "waits")
        {
            await HelloAsync(serial);
        }

        Assert.Equal(answer, await PostAsync(serial, "simpleenroll", "$MAKER/device.pem", "$MAKER/device.key"));
    }

    public async ValueTask DisposeAsync()
    {
        await _muster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string[] BlocksOfGuide()
    {
        var text = File.ReadAllText(Path.Combine(Catalogue.Root(), "docs", "developer", "est-with-curl.md"));
        return [.. text.Split("```sh\n").Skip(1).Select(part => part[..part.IndexOf("```", StringComparison.Ordinal)])];
    }

    private async Task ExpectAsync(string serial, params string[] more)
    {
        await IssueMakersAsync(serial);
        var (code, _, error) = await _muster.MusterAsync(
            ["devices", "create", serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60", .. more]);
        Assert.True(code == 0, error);
    }

    private async Task IssueMakersAsync(string serial)
    {
        var maker = Directory.CreateDirectory(Path.Combine(_folder, serial)).FullName;
        var issued = _muster.Vendor.Issue(serial, TimeProvider.System.GetUtcNow());
        await File.WriteAllTextAsync(Path.Combine(maker, "device.pem"), issued.CertificatePem, Stop);
        await File.WriteAllTextAsync(Path.Combine(maker, "device.key"), issued.KeyPem, Stop);
    }

    private Task<string> HelloAsync(string serial) => RunAsync(serial, """
        mosquitto_pub -V mqttv5 -h localhost -p $MQTT_PORT -q 1 --cafile data/pki/server-ca.pem --cert $MAKER/device.pem \
          --key $MAKER/device.key -i $SERIAL/tools -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
          "sequence":1},"serial":"'$SERIAL'","model":"P3265-V","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
        """);

    /// <summary>The status and the reason that a request for a new key is answered with.</summary>
    private async Task<string> PostAsync(string serial, string call, string certificate, string key)
    {
        var answer = await RunAsync(serial, $$"""
            $KEY -out $OWN/other.key
            if [ -e $OWN/device.pem ]; then
              openssl x509 -x509toreq -copy_extensions copyall -in $OWN/device.pem -signkey $OWN/other.key | openssl req -outform DER
            else
              openssl req -new -key $OWN/other.key -subj "/serialNumber=$SERIAL/CN=$SERIAL" -outform DER
            fi | openssl base64 -out $OWN/other
            curl --silent --show-error --cacert data/pki/server-ca.pem --cert {{certificate}} --key {{key}} -H "$PKCS10" \
              --data-binary @$OWN/other -o $OWN/answer -w '%{http_code}' $EST/{{call}}
            """);
        var text = await File.ReadAllTextAsync(Path.Combine(_folder, "data", "own", "answer"), Stop);
        var reason = text.Split("\"reason\":\"") is [_, var rest] ? rest[..rest.IndexOf('"', StringComparison.Ordinal)] : "";
        return string.Create(CultureInfo.InvariantCulture, $"{answer[^3..]} {reason}");
    }

    private async Task<string> RunAsync(string serial, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", $"SERIAL={serial} MAKER={serial}\n{Guide[0]}{lines}"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HTTPS_PORT"] = $"{_muster.HttpsPort}";
        start.Environment["MQTT_PORT"] = $"{_muster.MqttPort}";
        using var process = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(Timeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var error = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        Assert.True(process.ExitCode == 0, $"{lines}\nexit code {process.ExitCode}: {await output}{await error}");
        return await output;
    }
}
