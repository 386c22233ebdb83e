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

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Certificate_SignedByASilo_OpensEveryGateway()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel, QuestionTests.MakeDeviceAsync);
        await site.InsistAsync(
            Cancel, "devices", "create", QuestionTests.Serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01",
            "--warranty-months", "60");

        var (code, said) = await RunAsync(site);

        Assert.True(code == 0, $"{said}{Environment.NewLine}{site.Tails()}");
        Assert.Contains("own.pem: OK", said, StringComparison.Ordinal);
        Assert.Equal(
            ["server.key"],
            Directory.GetFiles(Path.Combine(site.Folder, "pki", "gateway"), "*.key").Select(Path.GetFileName));
    }

    private static async Task<(int Code, string Said)> RunAsync(ClusterSite site)
    {
        var start = new ProcessStartInfo("bash", ["-ec", Lines])
        {
            WorkingDirectory = site.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SERIAL"] = QuestionTests.Serial;
        start.Environment["MODEL"] = ClusterSite.Model;
        start.Environment["CA"] = Path.Combine(site.Profile, "server-ca.pem");
        start.Environment["EST"] = string.Create(CultureInfo.InvariantCulture, $"https://localhost:{site.Https.Port}/.well-known/est");
        start.Environment["ONE"] = site.MqttPorts[0].ToString(CultureInfo.InvariantCulture);
        start.Environment["OTHER"] = site.MqttPorts[1].ToString(CultureInfo.InvariantCulture);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var error = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output + await error);
    }
}
