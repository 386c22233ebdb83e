using System.Diagnostics;

namespace Muster.Scenarios.Tests;

/// <summary>
/// The key of the fleet CA in a token of SoftHSM: the product in a process of its own, with Debian's curl, openssl and mosquitto_pub as the
/// device and the relying party, by the lines of the guide on EST.
/// </summary>
public sealed class HardwareModuleTests : IAsyncLifetime
{
    private const string Pin = "24681357";
    private const string Module = "/usr/lib/softhsm/libsofthsm2.so";
    private const string First = "B8A44F00E601";
    private const string Second = "B8A44F00E602";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(120);

    private static readonly string[] Guide = BlocksOfGuide();

    private readonly OneProcess _muster = new();
    private readonly int _statusPort = OneProcess.FreePorts(1)[0];
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-hsm-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Uri => $"pkcs11:token=fleet?module-path={Module}&pin-source={_folder}/pin";

    private string Configuration => Path.Combine(_folder, "softhsm2.conf");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "tokens"));
        await File.WriteAllTextAsync(
            Configuration, $"directories.tokendir = {_folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", Stop);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "data"), _muster.Folder);
        await RunAsync(First, $"""
            softhsm2-util --init-token --free --label fleet --pin {Pin} --so-pin 13572468
            (umask 077; echo {Pin} > pin)
            """);
        _muster.Settings["SOFTHSM2_CONF"] = Configuration;
        _muster.Settings["Muster__Pki__Pkcs11"] = Uri;
        _muster.Settings["Muster__CertificateStatus__Port"] = $"{_statusPort}";
        _muster.Settings["Muster__CertificateStatus__BaseUrl"] = $"http://localhost:{_statusPort}";
    }

    [Fact]
    public async Task FleetCa_WithItsKeyInAToken_SignsIsGoneComesBackAndIsFollowed()
    {
        await _muster.StartAsync(Stop);
        foreach (var serial in new[] { First, Second })
        {
            await ExpectAsync(serial);
        }

        Assert.Contains("device.pem: OK", await RunAsync(First, $"{Guide[1]}{Guide[2]}"), StringComparison.Ordinal);
        var state = await RunAsync(First, Guide[5]);
        Assert.Contains("device.pem: OK", state, StringComparison.Ordinal);
        Assert.Contains("device.pem: good", state, StringComparison.Ordinal);
        Assert.Equal(
            "fleet-ca-1.pem fleet-ca-1.pkcs11 fleet-ca-1.serials\n", await RunAsync(First, "cd data/pki; echo fleet-ca-1.*"));
        var key = await RunAsync(First, $"""
            pkcs11-tool --module {Module} --token-label fleet --login --pin {Pin} --list-objects --type privkey
            """);
        Assert.Contains("never extractable", key, StringComparison.Ordinal);

        // The token is taken away. What was signed is given again, byte for byte; nothing new is signed, and lists and OCSP go on.
        await RunAsync(First, "mv tokens away");
        Assert.Equal("200", await EnrollAsync(First, "$OWN/request", "$OWN/again"));
        await RunAsync(First, """
            openssl base64 -d -in $OWN/again | openssl pkcs7 -inform DER -print_certs -out $OWN/again.pem
            cmp $OWN/device.pem $OWN/again.pem
            """);
        await RunAsync(
            Second, "$KEY -out $OWN/second.key; openssl req -new -key $OWN/second.key -subj / -outform DER | base64 > $OWN/second");
        Assert.Equal("503", await EnrollAsync(Second, "$OWN/second", "$OWN/answer"));
        var refused = await RunAsync(Second, "cat $OWN/answer; grep -i ^retry-after $OWN/headers");
        Assert.Contains("FLEET_CA_KEY_UNREACHABLE", refused, StringComparison.Ordinal);
        Assert.Contains("Retry-After", refused, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("device.pem: good", await RunAsync(First, Guide[5]), StringComparison.Ordinal);

        // Back, without a restart.
        await RunAsync(First, "mv away tokens");
        await UntilAsync(async () => await EnrollAsync(Second, "$OWN/second", "$OWN/answer") == "200");

        // The next CA, with a key of its own in the same token. The first one's certificates stay good.
        var signsFrom = await RollAsync();
        await RunAsync(First, Guide[1]);
        await RunAsync(First, Guide[3]);

        // Before that the renewal would be refused as one that comes too early.
        await UntilAsync(() => Task.FromResult(TimeProvider.System.GetUtcNow() > signsFrom));
        Assert.Contains(
            "fleet CA 2", await RunAsync(First, $"{Guide[4]}openssl x509 -in $OWN/next.pem -noout -issuer"), StringComparison.Ordinal);
        var both = await RunAsync(First, """
            openssl verify -x509_strict -purpose sslclient -CAfile $OWN/fleet-ca.pem $OWN/device.pem $OWN/next.pem
            """);
        Assert.Contains("device.pem: OK", both, StringComparison.Ordinal);
        Assert.Contains("next.pem: OK", both, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_WithAKeyThatCannotBeUsed_EndsWithASentence()
    {
        await _muster.StartAsync(Stop);
        _muster.Kill();

        await RunAsync(First, "echo 97531864 > pin");
        var wrongPin = await StartAgainAsync();
        await RunAsync(First, $"echo {Pin} > pin; sed -i 's/object=[^;?]*/object=gone/; s/;*id=[^;?]*//' data/pki/fleet-ca-1.pkcs11");
        var missing = await StartAgainAsync();
        await RunAsync(First, "mv tokens away");
        var away = await StartAgainAsync();

        Assert.Contains("is not the one of token 'fleet'", wrongPin, StringComparison.Ordinal);
        Assert.Contains("has no private key 'gone'", missing, StringComparison.Ordinal);
        Assert.Contains("does not start", away, StringComparison.Ordinal);
        Assert.All(new[] { wrongPin, missing, away }, said =>
        {
            Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
            Assert.DoesNotContain(Pin, said, StringComparison.Ordinal);
            Assert.DoesNotContain("97531864", said, StringComparison.Ordinal);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _muster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string[] BlocksOfGuide()
    {
        var text = File.ReadAllText(Path.Combine(BadInput.Catalogue.Root(), "docs", "developer", "est-with-curl.md"));
        return [.. text.Split("```sh\n").Skip(1).Select(part => part[..part.IndexOf("```", StringComparison.Ordinal)])];
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var patience = Stopwatch.StartNew();
        while (!await isSo())
        {
            Assert.True(patience.Elapsed < Timeout, "It did not come to pass.");
            await Task.Delay(TimeSpan.FromMilliseconds(500), Stop);
        }
    }

    /// <summary>The device is expected, and has said hello with its maker's certificate.</summary>
    private async Task ExpectAsync(string serial)
    {
        var maker = Directory.CreateDirectory(Path.Combine(_folder, serial)).FullName;
        var issued = _muster.Vendor.Issue(serial, TimeProvider.System.GetUtcNow());
        await File.WriteAllTextAsync(Path.Combine(maker, "device.pem"), issued.CertificatePem, Stop);
        await File.WriteAllTextAsync(Path.Combine(maker, "device.key"), issued.KeyPem, Stop);
        var (code, _, error) = await _muster.MusterAsync(
            "devices", "create", serial, "--model", "P3265-V", "--warranty-start", "2026-01-01", "--warranty-months", "60");
        Assert.True(code == 0, error);
        await RunAsync(serial, """
            mosquitto_pub -V mqttv5 -h localhost -p $MQTT_PORT -q 1 --cafile data/pki/server-ca.pem --cert $MAKER/device.pem \
              --key $MAKER/device.key -i $SERIAL/tools -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
              "sequence":1},"serial":"'$SERIAL'","model":"P3265-V","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
            """);
    }

    /// <summary>The status that a request for a certificate is answered with.</summary>
    private async Task<string> EnrollAsync(string serial, string request, string answer) => (await RunAsync(serial, $$"""
        curl --silent --show-error --cacert data/pki/server-ca.pem --cert $MAKER/device.pem --key $MAKER/device.key -H "$PKCS10" \
          --data-binary @{{request}} -D $OWN/headers -o {{answer}} -w '%{http_code}' $EST/simpleenroll
        """)).Trim();

    /// <summary>Makes the second CA, which signs from the time that is returned, and starts anew.</summary>
    private async Task<DateTimeOffset> RollAsync()
    {
        var signsFrom = TimeProvider.System.GetUtcNow().AddSeconds(10);
        var said = await RunAsync(
            First,
            $"dotnet {Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")} pki-roll data/pki "
            + $"{signsFrom:O} '{Uri}'");
        Assert.Contains("'muster-fleet-ca-2'", said, StringComparison.Ordinal);
        _muster.Kill();
        await _muster.StartAsync(Stop);
        return signsFrom;
    }

    /// <summary>What the silo says that does not start.</summary>
    private Task<string> StartAgainAsync() => RunAsync(First, $"""
        export Muster__Data__Directory=$PWD/data Muster__Pki__Pkcs11='{Uri}'
        dotnet {Path.Combine(AppContext.BaseDirectory, "Muster.Silo.dll")} 2>&1 && exit 9 || test $? = 1
        """);

    private async Task<string> RunAsync(string serial, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", $"SERIAL={serial} MAKER={serial}\n{Guide[0]}{lines}"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SOFTHSM2_CONF"] = Configuration;
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
