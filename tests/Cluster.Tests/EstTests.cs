namespace Muster.Cluster.Tests;

/// <summary>Gateways that hold no CA's key give devices their certificates, which silos have signed; any gateway takes them.</summary>
[Collection(ClusterSite.Collection)]
public sealed class EstTests
{
    /// <summary>
    /// Their grains are spread over both silos, and each device's certificate is signed by the silo that has its grain: in one case of 32
    /// one silo has all of them.
    /// </summary>
    private const int DevicesOfTheToken = 6;

    /// <summary>What is asked for twice is given twice, byte for byte, and opens both gateways.</summary>
    private const string Enrol = """
        set -o pipefail
        curl="curl --silent --show-error --fail-with-body --cacert $CA"
        pub="mosquitto_pub -V mqttv5 -h localhost -q 1 --cafile $CA -i $SERIAL/tools"
        print="openssl pkcs7 -inform DER -print_certs"
        $pub -p $MQTT0 --cert $MAKERS.pem --key $MAKERS.key -t muster/v1/devices/$SERIAL/up/hello -m '{"stamp":{"bootId":"boot-1",
          "sequence":1},"serial":"'$SERIAL'","model":"'$MODEL'","osVersion":"12.11.70","secureBoot":true,"factoryDefault":true}'
        $curl --cert $MAKERS.pem --key $MAKERS.key $EST/cacerts | openssl base64 -d | $print -out fleet.pem
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out own.key
        openssl req -new -key own.key -subj / -outform DER | openssl base64 -out own.req
        for answer in own.pem again.pem; do
          $curl --cert $MAKERS.pem --key $MAKERS.key -H "Content-Type: application/pkcs10" --data-binary @own.req $EST/simpleenroll \
            | openssl base64 -d | $print -out $answer
        done
        cmp own.pem again.pem
        openssl verify -x509_strict -CAfile fleet.pem own.pem
        for port in $MQTT0 $MQTT1; do
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
        await ExpectAsync(site, QuestionTests.Serial);

        await EnrolAsync(site, QuestionTests.Serial, "device");

        Assert.Equal(
            ["server.key"],
            Directory.GetFiles(Path.Combine(site.Folder, "pki", "gateway"), "*.key").Select(Path.GetFileName));
    }

    [Fact]
    public async Task Certificates_SignedByTwoSilosWithOneToken_OpenEveryGatewayAndAreSignedOnByTheSiloThatIsLeft()
    {
        await using var site = await ClusterSite.StartAsync(silos: 2, gateways: 2, Cancel, PutKeyIntoTokenAsync);
        var serials = SiloDeathTests.SerialsOf(DevicesOfTheToken * 2);
        foreach (var serial in serials)
        {
            await ExpectAsync(site, serial);
        }

        foreach (var serial in serials.Take(DevicesOfTheToken))
        {
            await EnrolAsync(site, serial, serial);
        }

        Assert.All(site.Silos, silo => Assert.False(silo.HasExited));

        // The token is the other silo's as well, in the middle of whatever the first one did with it.
        site.Silos[0].Kill();
        foreach (var serial in serials)
        {
            await site.InsistAsync(Cancel, "devices", "get", serial);
        }

        foreach (var serial in serials.Skip(DevicesOfTheToken))
        {
            await EnrolAsync(site, serial, serial);
        }
    }

    private static async Task PutKeyIntoTokenAsync(ClusterSite site)
    {
        await SiloDeathTests.MakeDevicesAsync(site, DevicesOfTheToken * 2);
        site.SiloEnvironment["SOFTHSM2_CONF"] = Path.Combine(site.Folder, "softhsm2.conf");
        var (code, said) = await site.ShellAsync(Token, Cancel);
        Assert.True(code == 0, said);
        Assert.Contains("was made in token 'fleet'", said, StringComparison.Ordinal);
    }

    private static Task<string> ExpectAsync(ClusterSite site, string serial) => site.InsistAsync(
        Cancel, "devices", "create", serial, "--model", ClusterSite.Model, "--warranty-start", "2026-01-01", "--warranty-months", "60");

    private static async Task EnrolAsync(ClusterSite site, string serial, string makers)
    {
        var (code, said) = await site.ShellAsync(
            Enrol, Cancel, ("SERIAL", serial), ("MAKERS", makers), ("MODEL", ClusterSite.Model));
        Assert.True(code == 0, $"{said}{Environment.NewLine}{site.Tails()}");
        Assert.Contains("own.pem: OK", said, StringComparison.Ordinal);
    }
}
