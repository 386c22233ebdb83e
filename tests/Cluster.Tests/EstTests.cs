using System.Diagnostics;
using System.Globalization;

namespace Muster.Cluster.Tests;

/// <summary>Gateways that hold no CA's key give devices their certificates, which silos have signed; any gateway takes them.</summary>
[Collection(ClusterSite.Collection)]
public sealed class EstTests
{
    private const string Lines = """
        set -o pipefail
        curl="curl --silent --show-error --fail-with-body --cacert $CA"
        pub="mosquitto_pub -V mqttv5 -h localhost -q 1 --cafile $CA -i $SERIAL/tools"
        print="openssl pkcs7 -inform DER -print_certs"
        $pub -p $ONE --cert device.pem --key device.key -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
          "sequence":1},"serial":"'$SERIAL'","model":"'$MODEL'","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
        $curl --cert device.pem --key device.key $EST/cacerts | openssl base64 -d | $print -out fleet.pem
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out own.key
        openssl req -new -key own.key -subj / -outform DER | openssl base64 -out own.req
        for answer in own.pem again.pem; do
          $curl --cert device.pem --key device.key -H "Content-Type: application/pkcs10" --data-binary @own.req $EST/simpleenroll \
            | openssl base64 -d | $print -out $answer
        done
        cmp own.pem again.pem
        openssl verify -x509_strict -CAfile fleet.pem own.pem
        for port in $ONE $OTHER; do
          $pub -p $port --cert own.pem --key own.key -t muster/v1/devices/$SERIAL/up/status \
            -m '{"stamp":{"bootId":"boot-1","sequence":'$port'},"uptimeSeconds":60}'
        done
        """;

    /// <summary>A token of SoftHSM in place of the fleet CA's key that the site was made with.</summary>
    private const string Token = """
        mkdir tokens
        printf 'directories.tokendir = %s/tokens\n' "$PWD" > softhsm2.conf
        (umask 077; echo 24681357 > pin)
        softhsm2-util --init-token --free --label fleet --pin 24681357 --so-pin 13572468
        rm pki/*/fleet-ca-1.*
        dotnet $SILO pki pki localhost "pkcs11:token=fleet?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=$PWD/pin"
        ls pki/silo/fleet-ca-1.pkcs11 pki/silo/fleet-ca-1.serials pki/gateway/fleet-ca-1.pem
        ! ls pki/gateway/fleet-ca-1.[!p]* pki/gateway/fleet-ca-1.pkcs11 pki/*/fleet-ca-1.key 2> /dev/null
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Certificate_SignedByASilo_OpensEveryGateway()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel, QuestionTests.MakeDeviceAsync);
        await site.InsistAsync(
            Cancel, "devices", "create", QuestionTests.Serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01",
            "--warranty-months", "60");

        await EnrolAsync(site);

        Assert.Equal(
            ["server.key"],
            Directory.GetFiles(Path.Combine(site.Folder, "pki", "gateway"), "*.key").Select(Path.GetFileName));
    }

    [Fact]
    public async Task Certificate_SignedByTwoSilosWithOneToken_OpensEveryGateway()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel, PutKeyIntoTokenAsync);
        await site.InsistAsync(
            Cancel, "devices", "create", QuestionTests.Serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01",
            "--warranty-months", "60");

        await EnrolAsync(site);

        Assert.All(site.Silos, silo => Assert.False(silo.HasExited));
    }

    private static async Task PutKeyIntoTokenAsync(ClusterSite site)
    {
        await QuestionTests.MakeDeviceAsync(site);
        site.SiloEnvironment["SOFTHSM2_CONF"] = Path.Combine(site.Folder, "softhsm2.conf");
        var (code, said) = await RunAsync(site, Token);
        Assert.True(code == 0, said);
        Assert.Contains("was made in token 'fleet'", said, StringComparison.Ordinal);
    }

    private static async Task EnrolAsync(ClusterSite site)
    {
        var (code, said) = await RunAsync(site, Lines);
        Assert.True(code == 0, $"{said}{Environment.NewLine}{site.Tails()}");
        Assert.Contains("own.pem: OK", said, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Said)> RunAsync(ClusterSite site, string lines)
    {
        var start = new ProcessStartInfo("bash", ["-ec", lines])
        {
            WorkingDirectory = site.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in site.SiloEnvironment)
        {
            start.Environment[name] = value;
        }

        start.Environment["SILO"] = HostProcess.Assembly("Silo");
        if (site.MqttPorts.Length > 0)
        {
            Describe(site, start);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var error = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>What the device's lines find, when the hosts run.</summary>
    private static void Describe(ClusterSite site, ProcessStartInfo start)
    {
        start.Environment["SERIAL"] = QuestionTests.Serial;
        start.Environment["MODEL"] = ClusterSite.Model;
        start.Environment["CA"] = Path.Combine(site.Profile, "server-ca.pem");
        start.Environment["EST"] = string.Create(CultureInfo.InvariantCulture, $"https://localhost:{site.Https.Port}/.well-known/est");
        start.Environment["ONE"] = site.MqttPorts[0].ToString(CultureInfo.InvariantCulture);
        start.Environment["OTHER"] = site.MqttPorts[1].ToString(CultureInfo.InvariantCulture);
    }
}
