using System.Diagnostics;
using System.Globalization;

namespace Muster.Scenarios.Tests;

/// <summary>
/// The lines of the guide on EST, as they stand there, with Debian's curl, openssl and mosquitto_pub, against the product in a process of
/// its own; and the calls that get no certificate.
/// </summary>
public sealed class EstTests : IAsyncLifetime
{
    private const string Serial = "B8A44F00E501";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static readonly string[] Guide = GuideBlocks.OfFile("est-with-curl.md");

    private readonly OneProcess _muster = new();
    private readonly int _statusPort = OneProcess.FreePorts(1)[0];
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-est-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _muster.Settings["Muster__CertificateStatus__Port"] = $"{_statusPort}";
        _muster.Settings["Muster__CertificateStatus__BaseUrl"] = $"http://localhost:{_statusPort}";
        await _muster.StartAsync(CancellationToken.None);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "data"), _muster.Folder);
    }

    [Fact]
    public async Task Est_ByCurlAndOpenSsl_EnrolsAndRenews()
    {
        Assert.Equal(6, Guide.Length);
        await ExpectAsync(Serial);
        await HelloAsync(Serial);

        Assert.Contains("prime256v1", await RunAsync(Serial, Guide[1]), StringComparison.Ordinal);
        Assert.Contains("device.pem: OK", await RunAsync(Serial, Guide[2]), StringComparison.Ordinal);
        await RunAsync(Serial, Guide[3]);
        var state = await RunAsync(Serial, Guide[5]);
        Assert.Contains("device.pem: OK", state, StringComparison.Ordinal);
        Assert.Contains("device.pem: good", state, StringComparison.Ordinal);
        Assert.Equal("403 CERTIFICATE_RENEWAL_EARLY", await PostAsync(Serial, "simplereenroll", "$OWN/device.pem", "$OWN/device.key"));

        // With the next CA the device renews at once. Until its instant the first one signs, after restarts as before.
        var from = await RollAsync();
        Assert.Equal("1", await GenerationsAsync("renewed", "$OWN/device.key"));
        await UntilAsync(from);
        await RunAsync(Serial, Guide[1]);
        Assert.Equal("2\n1\n", await RunAsync(Serial, "grep -o 'subject.*fleet CA [0-9]*' $OWN/fleet-ca.pem | grep -o '[0-9]*$'"));
        await RunAsync(Serial, Guide[3]);
        Assert.Contains("next.pem: OK", await RunAsync(Serial, Guide[4]), StringComparison.Ordinal);
        Assert.Contains("fleet CA 2", await RunAsync(Serial, "openssl x509 -in $OWN/next.pem -noout -issuer"), StringComparison.Ordinal);

        // Whoever lost the answer asks again and has the same bytes; the maker's certificate does not renew what has not ended.
        var again = Guide[4].Split('\n', 2)[1].Replace("next.pem", "again.pem", StringComparison.Ordinal);
        await RunAsync(Serial, again);
        await RunAsync(Serial, "cmp $OWN/next.pem $OWN/again.pem");
        Assert.Equal(
            "403 CERTIFICATE_WRONG_FOR_CALL", await PostAsync(Serial, "simplereenroll", "$MAKER/device.pem", "$MAKER/device.key"));
        Assert.Equal("403 CERTIFICATE_RENEWAL_EARLY", await PostAsync(Serial, "simplereenroll", "$OWN/next.pem", "$OWN/next.key"));

        await _muster.MusterAsync("devices", "quarantine", Serial, "--cause", "looks odd");
        Assert.Equal("403 DEVICE_NOT_IN_SERVICE", await PostAsync(Serial, "simplereenroll", "$OWN/next.pem", "$OWN/next.key"));
    }

    [Fact]
    public async Task Status_IsGivenToAnybody_AndNothingElseIsThere()
    {
        await ExpectAsync(Serial);
        await HelloAsync(Serial);
        await RunAsync(Serial, $"{Guide[1]}{Guide[2]}");

        var said = await RunAsync(Serial, $$"""
            STATUS=http://localhost:{{_statusPort}}
            code() { curl -s -o /dev/null -w '%{http_code} ' "$@"; }
            # Of a number that the CA did not choose, and of its own by GET, escaped and not.
            openssl ocsp -issuer $OWN/fleet-ca.pem -serial 0x4142434445464748494A4B4C4D4E4F50 -url $STATUS/ocsp \
              -CAfile $OWN/fleet-ca.pem
            openssl ocsp -issuer $OWN/fleet-ca.pem -cert $OWN/device.pem -no_nonce -reqout $OWN/ask
            for text in "$(base64 -w0 $OWN/ask)" "$(base64 -w0 $OWN/ask | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')"; do
              curl -sSf -D $OWN/headers -o $OWN/said $STATUS/ocsp/$text
              grep -i '^cache-control: public, max-age=' $OWN/headers
              openssl ocsp -issuer $OWN/fleet-ca.pem -cert $OWN/device.pem -no_nonce -reqin $OWN/ask -respin $OWN/said \
                -CAfile $OWN/fleet-ca.pem
            done
            head -c 4096 /dev/zero > $OWN/large
            curl -sS --data-binary @$OWN/large $STATUS/ocsp | openssl ocsp -respin /dev/stdin -noverify 2>&1 || true
            code $STATUS/crl/fleet-ca-9.crl
            code $STATUS/crl/
            code $STATUS/.well-known/est/cacerts
            code --cacert data/pki/server-ca.pem --cert $MAKER/device.pem --key $MAKER/device.key \
              https://localhost:$HTTPS_PORT/crl/fleet-ca-1.crl
            """);

        Assert.Contains("0x4142434445464748494A4B4C4D4E4F50: unknown", said, StringComparison.Ordinal);
        Assert.True(said.Split("device.pem: good").Length == 3, said);
        Assert.Equal(3, said.Split("max-age=").Length);
        Assert.Contains("malformedrequest", said, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("404 404 404 404 ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_OfADeviceThatProvedItsErasure_IsRevoked()
    {
        await ExpectAsync(Serial);
        await HelloAsync(Serial);
        await RunAsync(Serial, $"{Guide[1]}{Guide[2]}{Guide[5]}");

        await DecommissionAsync();

        // The list follows within a quarter of a minute; on a busy machine later.
        var said = await RunAsync(Serial, $$"""
            STATUS=http://localhost:{{_statusPort}}
            openssl x509 -in $OWN/device.pem -noout -serial | cut -d= -f2 > $OWN/serial
            list() { curl -sSf $STATUS/crl/fleet-ca-1.crl | openssl crl -inform DER "$@"; }
            until list -noout -text | grep -q "$(cat $OWN/serial)"; do sleep 1; done
            list -CAfile $OWN/fleet-ca.pem -text -out $OWN/after.crl
            cat $OWN/after.crl
            openssl verify -crl_check -CAfile $OWN/fleet-ca.pem -CRLfile $OWN/after.crl $OWN/device.pem 2>&1 || echo refused
            openssl ocsp -issuer $OWN/fleet-ca.pem -cert $OWN/device.pem -url $STATUS/ocsp -CAfile $OWN/fleet-ca.pem
            """);

        Assert.Contains("Cessation Of Operation", said, StringComparison.Ordinal);
        Assert.Contains("certificate revoked", said, StringComparison.Ordinal);
        Assert.Contains("refused", said, StringComparison.Ordinal);
        Assert.Contains("device.pem: revoked", said, StringComparison.Ordinal);
        Assert.Contains("Reason: cessationOfOperation", said, StringComparison.Ordinal);
        Assert.Equal("403 DEVICE_DECOMMISSIONED", await PostAsync(Serial, "simplereenroll", "$OWN/device.pem", "$OWN/device.key"));
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

    /// <summary>One operator asks, another approves, the device erases itself and proves it with its maker's key.</summary>
    private async Task DecommissionAsync()
    {
        var bert = Path.Combine(_folder, "bert");
        var grant = Path.Combine(_folder, "bert.json");
        await DoneAsync(bert, "operators", "request", "bert");
        await DoneAsync(
            _muster.Profile, "operators", "add", "bert", "--role", "approver", "--request", Path.Combine(bert, "operator.csr"),
            "--out", grant);
        await DoneAsync(bert, "operators", "accept", grant);
        await DoneAsync(_muster.Profile, "decommissions", "request", Serial);
        await DoneAsync(bert, "decommissions", "approve", Serial);
        await RunAsync(Serial, """
            LINE="-V mqttv5 -h localhost -p $MQTT_PORT -q 1 --cafile data/pki/server-ca.pem"
            LINE="$LINE --cert $MAKER/device.pem --key $MAKER/device.key"
            mosquitto_sub $LINE -i $SERIAL -t muster/v1/devices/$SERIAL/down/command -C 1 -W 50 > $OWN/command
            NONCE=$(sed 's/.*"nonce": *"\([^"]*\)".*/\1/' $OWN/command)
            printf 'muster erasure proof 1\ntenant=default\ndevice=%s\nnonce=%s\nboot_id=boot-2\nmethod=factory-default\n' $SERIAL $NONCE \
              | openssl dgst -sha256 -sign $MAKER/device.key | base64 -w0 > $OWN/proof
            mosquitto_pub $LINE -i $SERIAL -t muster/v1/devices/$SERIAL/up/result -m '{"stamp":{"bootId":"boot-2","sequence":1},
              "nonce":"'$NONCE'","succeeded":true,"proof":"'$(cat $OWN/proof)'"}'
            """);
    }

    private static async Task DoneAsync(string profile, params string[] arguments)
    {
        var (code, _, error) = await MusterProgram.RunAsync(profile, arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {error}");
    }

    /// <summary>Makes the second CA and starts anew; the instant from which it signs.</summary>
    private async Task<DateTimeOffset> RollAsync()
    {
        // Long enough for a start on a busy machine: the test looks before this instant and after it.
        var from = TimeProvider.System.GetUtcNow().AddSeconds(25);
        var said = await RunAsync(Serial, $"dotnet {Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")} pki-roll data/pki {from:O}");
        Assert.Contains("fleet-ca-2", said, StringComparison.Ordinal);
        _muster.Kill();
        await _muster.StartAsync(Stop);
        return from;
    }

    /// <summary>The number of the CA that renews a certificate with the same key.</summary>
    private async Task<string> GenerationsAsync(string name, string key) => (await RunAsync(Serial, $"""
        openssl x509 -x509toreq -copy_extensions copyall -in $OWN/device.pem -signkey {key} | openssl req -outform DER \
          | openssl base64 -out $OWN/request
        $CURL --cert $OWN/device.pem --key {key} -H "$PKCS10" --data-binary @$OWN/request $EST/simplereenroll \
          | openssl base64 -d | openssl pkcs7 -inform DER -print_certs -out $OWN/{name}.pem
        openssl x509 -in $OWN/{name}.pem -noout -issuer | grep -o '[0-9]*$'
        """)).Trim();

    private static async Task UntilAsync(DateTimeOffset instant)
    {
        while (TimeProvider.System.GetUtcNow() <= instant)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), Stop);
        }
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
        start.Environment["STATUS_PORT"] = $"{_statusPort}";
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
