using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using Muster.Cryptography.Certificates;
using Muster.Protocol;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>Bad identities and bad messages of devices, against the whole product: a clear refusal, and nothing accepted is lost.</summary>
[Collection(BadInputGroup.Name)]
public sealed class BadDeviceTests(BadInputSite site)
{
    private const string Serial = BadInputSite.Serial;

    private const string OtherSerial = "B8A44F0000B2";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    [Theory]
    [InlineData("without its chain", "CERTIFICATE_UNTRUSTED")]
    [InlineData("self-signed", "CERTIFICATE_UNTRUSTED")]
    [InlineData("of another root", "CERTIFICATE_UNTRUSTED")]
    [InlineData("expired", "CERTIFICATE_EXPIRED")]
    [InlineData("of an operator", "CERTIFICATE_UNTRUSTED")]
    [InlineData("for the same serial with another key", "IDENTITY_MISMATCH")]
    [InlineData("for a serial that nobody expects", "DEVICE_NOT_EXPECTED")]
    public async Task Connect_WithABadCertificate_IsRefusedWithTheReason(string kind, string reason)
    {
        var before = await site.AcceptedAsync();
        using var certificate = Make(kind);
        var serial = reason == "DEVICE_NOT_EXPECTED" ? "B8A44F0000FF" : Serial;
        await using var line = new DeviceLine();
        await using var old = new DeviceLine();

        var result = await line.ConnectAsync(site.MqttPort, certificate, serial, MqttProtocolVersion.V500);
        var oldResult = await old.ConnectAsync(site.MqttPort, certificate, serial, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, result.ResultCode);
        Assert.StartsWith(reason + ": ", result.ReasonString, StringComparison.Ordinal);
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, oldResult.ResultCode);
        Catalogue.AssertExplains(reason);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Fact]
    public async Task Connect_WithoutACertificate_FailsInTheHandshake()
    {
        var before = await site.AcceptedAsync();
        await using var line = new DeviceLine();

        await Assert.ThrowsAnyAsync<Exception>(() => line.ConnectAsync(site.MqttPort, null, Serial, MqttProtocolVersion.V500));

        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("CAM-000001", "DEVICE_NOT_EXPECTED")]
    [InlineData(Serial, "CERTIFICATE_NOT_A_DEVICE_IDENTITY")]
    public async Task Connect_WithTheChainThatWasMissing_IsReadAsTheMakersDevice(string serial, string reason)
    {
        // The counterpart of "without its chain": the same maker, with its intermediate in the handshake. Its root may not speak for
        // the serials of another maker.
        var issued = site.RootOnly.Issue(serial, Now);
        using var certificate = DeviceLine.Load(issued);
        using var intermediate = X509Certificate2.CreateFromPem(site.RootOnly.IntermediatePem);
        await using var line = await RawLine.ConnectAsync(site, certificate, [intermediate]);

        await line.SendConnectAsync(serial, version: 5);

        var connAck = await line.ReceiveAsync();
        Assert.Equal([0x20, 0x87], [connAck[0], connAck[3]]);
        Assert.Contains(reason, Encoding.UTF8.GetString(connAck), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OtherSerial)]
    [InlineData(OtherSerial + "/pub")]
    public async Task Connect_WithAClientIdOfAnotherDevice_IsRefused(string clientId)
    {
        var before = await site.AcceptedAsync();
        using var certificate = DeviceLine.Load(site.Identity);
        await using var line = new DeviceLine();
        await using var old = new DeviceLine();

        var result = await line.ConnectAsync(site.MqttPort, certificate, clientId, MqttProtocolVersion.V500);
        var oldResult = await old.ConnectAsync(site.MqttPort, certificate, clientId, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.ClientIdentifierNotValid, result.ResultCode);
        Assert.StartsWith("CLIENT_ID_NOT_ALLOWED: ", result.ReasonString, StringComparison.Ordinal);
        Assert.Equal(MqttClientConnectResultCode.ClientIdentifierNotValid, oldResult.ResultCode);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Fact]
    public async Task Hello_WithTheKeyOfAnotherDevice_IsRefusedAndTheKeysOwnerIsQuarantined()
    {
        // A device of its own: its key is suspected from here on, and the other tests use theirs as a device in service.
        const string owner = "B8A44F0000B3";
        await site.ExpectAsync(OtherSerial);
        await site.ExpectAsync(owner);
        var identity = site.Vendor.Issue(owner, Now);
        await EnrolAsync(owner, identity);
        var before = await site.AcceptedAsync();
        using var key = ECDsa.Create();
        key.ImportFromPem(identity.KeyPem);
        using var bare = site.Vendor.Issue(OtherSerial, key, Now.AddMinutes(-5), Now.AddYears(1));
        using var certificate = X509Certificate2.CreateFromPem(bare.ExportCertificatePem(), identity.KeyPem);
        await using var line = new DeviceLine();

        var result = await line.ConnectAsync(site.MqttPort, certificate, OtherSerial, MqttProtocolVersion.V500);

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, result.ResultCode);
        Assert.StartsWith("KEY_CLAIMED_BY_ANOTHER: ", result.ReasonString, StringComparison.Ordinal);
        Assert.Contains($"{owner} InService", before, StringComparison.Ordinal);

        // The refusal does not wait for what becomes of the owner.
        var after = before;
        for (var started = Stopwatch.StartNew(); after == before && started.Elapsed < Patience; after = await site.AcceptedAsync())
        {
            await Task.Delay(50, Stop);
        }

        Assert.Equal(before.Replace($"{owner} InService", $"{owner} Quarantined", StringComparison.Ordinal), after);
    }

    [Theory]
    [InlineData("topic of another device", MqttClientPublishReasonCode.NotAuthorized, "TOPIC_NOT_ALLOWED")]
    [InlineData("no topic of devices", MqttClientPublishReasonCode.TopicNameInvalid, "TOPIC_NOT_ALLOWED")]
    [InlineData("text", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("binary garbage", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("empty", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("zeros", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("message of another kind", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("deep JSON", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData("hello of another serial", MqttClientPublishReasonCode.NotAuthorized, "SERIAL_MISMATCH")]
    [InlineData("generation never issued", MqttClientPublishReasonCode.ImplementationSpecificError, "GENERATION_UNKNOWN")]
    [InlineData("nonce never issued", MqttClientPublishReasonCode.ImplementationSpecificError, "NONCE_UNKNOWN")]
    public async Task Publish_OfBadInput_IsRefusedForEver(string kind, MqttClientPublishReasonCode code, string reason)
    {
        var before = await site.AcceptedAsync();
        var (topic, payload) = Bad(kind);
        foreach (var version in new[] { MqttProtocolVersion.V500, MqttProtocolVersion.V311 })
        {
            await using var line = await DeviceLine.ConnectedAsync(site, version);

            var result = await line.PublishAsync(topic, payload);

            // A PUBACK of 3.1.1 has no room for a reason: the rejection says it.
            Assert.Equal(version == MqttProtocolVersion.V311 ? MqttClientPublishReasonCode.Success : code, result.ReasonCode);
            Assert.Contains(reason, await line.NextAsync(Topics.Rejection), StringComparison.Ordinal);
            if (version == MqttProtocolVersion.V500)
            {
                Assert.StartsWith(reason + ": ", result.ReasonString, StringComparison.Ordinal);
            }
        }

        Catalogue.AssertExplains(reason);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(4)]
    public async Task Publish_OfAMebibyteOfZeros_IsRefusedByItsLength(byte version)
    {
        var before = await site.AcceptedAsync();
        using var certificate = DeviceLine.Load(site.Identity);
        await using var line = await RawLine.ConnectAsync(site, certificate, []);
        await line.SendConnectAsync(Serial, version);
        Assert.Equal(0x20, (await line.ReceiveAsync())[0]);

        await line.SendPublishAsync(Topics.Up(Serial, Topics.Status), new byte[1024 * 1024], version);

        var told = await line.ReadToEndAsync();
        Assert.Contains("PAYLOAD_TOO_LARGE", told.Text, StringComparison.Ordinal);
        Assert.Contains(Topics.Down(Serial, Topics.Rejection), told.Text, StringComparison.Ordinal);
        Assert.Equal(version == 5 ? (0xE0, 0x95) : (0, 0), told.Disconnect);
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connection_OfAMebibyteOfZeros_IsClosed(bool afterConnect)
    {
        var before = await site.AcceptedAsync();
        using var certificate = DeviceLine.Load(site.Identity);
        await using var line = await RawLine.ConnectAsync(site, certificate, []);
        if (afterConnect)
        {
            await line.SendConnectAsync(Serial, version: 5);
            Assert.Equal(0x20, (await line.ReceiveAsync())[0]);
        }

        await line.SendLossyAsync(new byte[1024 * 1024]);

        var (_, (packet, code)) = await line.ReadToEndAsync();
        Assert.Equal(afterConnect ? 0xE0 : 0, packet);
        Assert.True(!afterConnect || code is 0x81 or 0x82, $"DISCONNECT {code:x}");
        Assert.Equal(before, await site.AcceptedAsync());
    }

    [Theory]
    [InlineData("of another image", "LINK_MISSING")]
    [InlineData("with an untrusted certificate", "CERTIFICATE_UNTRUSTED")]
    public async Task Download_ThatIsNotTheDevices_IsRefused(string kind, string reason)
    {
        using var certificate = kind == "of another image" ? DeviceLine.Load(site.Identity) : Make("self-signed");
        var digest = kind == "of another image" ? new string('0', 64) : site.ImageDigest;
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [certificate];
        handler.SslOptions.CertificateChainPolicy = site.ServerTrust();
        using var http = new HttpClient(handler);

        using var answer = await http.GetAsync(new Uri($"https://localhost:{site.HttpsPort}/v1/images/{digest}"), Stop);

        Assert.Equal(System.Net.HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains($"\"{reason}\"", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Catalogue.AssertExplains(reason);
    }

    private async Task EnrolAsync(string serial, IssuedCertificate identity)
    {
        using var certificate = DeviceLine.Load(identity);
        await using var line = new DeviceLine();
        var connected = await line.ConnectAsync(site.MqttPort, certificate, serial, MqttProtocolVersion.V500);
        Assert.Equal(MqttClientConnectResultCode.Success, connected.ResultCode);
        var hello = await line.PublishAsync(serial, Topics.Hello, BadInputSite.Hello(serial, 1));
        Assert.Equal(MqttClientPublishReasonCode.Success, hello.ReasonCode);
    }

    private X509Certificate2 Make(string kind)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        switch (kind)
        {
            case "without its chain":
                return DeviceLine.Load(site.RootOnly.Issue(Serial, Now));
            case "self-signed":
                var name = new X500DistinguishedNameBuilder();
                name.AddCommonName(Serial);
                name.Add("2.5.4.5", Serial);
                var request = new CertificateRequest(name.Build(), key, HashAlgorithmName.SHA256);
                return request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
            case "of another root":
                using (var stranger = Cryptography.Certificates.DeviceIdentityIssuer.CreateAxis(Now))
                {
                    return DeviceLine.Load(stranger.Issue(Serial, Now));
                }

            case "expired":
                using (var bare = site.Vendor.Issue(Serial, key, Now.AddHours(-2), Now.AddHours(-1)))
                {
                    return X509Certificate2.CreateFromPem(bare.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
                }

            case "of an operator":
                return X509Certificate2.CreateFromPemFile(
                    Path.Combine(site.Profile, "operator.pem"), Path.Combine(site.Profile, "operator.key"));
            case "for the same serial with another key":
                return DeviceLine.Load(site.Vendor.Issue(Serial, Now));
            default:
                return DeviceLine.Load(site.Vendor.Issue("B8A44F0000FF", Now));
        }
    }

    private static (string Topic, byte[] Payload) Bad(string kind) => kind switch
    {
        "topic of another device" => (Topics.Up(OtherSerial, Topics.Hello), Encoding.UTF8.GetBytes(BadInputSite.Hello(OtherSerial, 1))),
        "no topic of devices" => ("muster/v1/operators", "{}"u8.ToArray()),
        "text" => (Topics.Up(Serial, Topics.Hello), "hello"u8.ToArray()),
        "binary garbage" => (Topics.Up(Serial, Topics.Report), [0xFF, 0xFE, 0x00, 0x80, 0x01]),
        "empty" => (Topics.Up(Serial, Topics.Inventory), []),
        "zeros" => (Topics.Up(Serial, Topics.Hello), new byte[4096]),
        "message of another kind" => (Topics.Up(Serial, Topics.Status), Encoding.UTF8.GetBytes(BadInputSite.Hello(Serial, 2))),
        "deep JSON" => (Topics.Up(Serial, Topics.Inventory), Encoding.UTF8.GetBytes("{\"settings\":" + new string('[', 50_000))),
        "hello of another serial" => (Topics.Up(Serial, Topics.Hello), Encoding.UTF8.GetBytes(BadInputSite.Hello(OtherSerial, 2))),
        "generation never issued" => (
            Topics.Up(Serial, Topics.Report),
            Encoding.UTF8.GetBytes(
                $$"""{"stamp":{"bootId":"boot-1","sequence":1},"generation":{{BadInputSite.Generation + 1}},"step":"STEP_DELIVERED"}""")),
        "nonce never issued" => (
            Topics.Up(Serial, Topics.Result),
            """{"stamp":{"bootId":"boot-1","sequence":1},"nonce":"0123456789abcdef0123456789abcdef","succeeded":true}"""u8.ToArray()),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such bad input."),
    };
}
