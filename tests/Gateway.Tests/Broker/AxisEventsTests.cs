using System.Collections.Immutable;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Cryptography.Decommissioning;
using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;
using Wire = Muster.Protocol.Device.V1;

namespace Muster.Gateway.Tests.Broker;

/// <summary>AXIS OS' own topics, at the gateway's listener and through Debian's mosquitto.</summary>
public sealed class AxisEventsTests
{
    private const string Serial = "CAM-000001";

    private const string OtherSerial = "CAM-000002";

    private const string Ready = "event/tns:onvif/Device/tns:axis/Status/SystemReady";

    private const string NotReady = """{"topic":"onvif:Device/axis:Status/SystemReady","message":{"data":{"ready":"0"}}}""";

    private static readonly (string Key, string Value) On = ("Muster:Broker:AxisEvents", "true");

    [Theory]
    [InlineData(DeviceWay.Listener, MqttProtocolVersion.V500)]
    [InlineData(DeviceWay.Listener, MqttProtocolVersion.V311)]
    [InlineData(DeviceWay.Broker, MqttProtocolVersion.V500)]
    [InlineData(DeviceWay.Broker, MqttProtocolVersion.V311)]
    public async Task Publish_OfEvents_ReachesTheGrainAsTheDevice(DeviceWay way, MqttProtocolVersion version)
    {
        await using var edge = await DeviceEdge.StartAsync(way, On);
        await using var client = await TestClient.ConnectedAsync(edge, Serial, version: version);

        await PublishAsync(client, Serial, Ready, NotReady);
        await PublishAsync(client, Serial, "event/Device/Sensor/PIR/$source/sensor/0", "anything");

        var device = edge.Grains.Device(Serial);
        await Eventually.TrueAsync(() => device.Received.Count == 2, "two events");
        Assert.Collection(
            device.Received.Cast<ReportNativeEvent>(),
            first => Assert.Equal(new AlarmSignal(AlarmKind.SystemNotReady, "", IsRaised: true, IsMomentary: false), first.Signal),
            motion => Assert.Null(motion.Signal));
        Assert.All(
            device.Received.Cast<ReportNativeEvent>(),
            said => Assert.Equal(
                (way == DeviceWay.Broker, 1L, Serial),
                (said.Identity.IsVouched, said.Session.Epoch, said.Identity.Device.Value)));
    }

    [Theory]
    [InlineData(DeviceWay.Listener)]
    [InlineData(DeviceWay.Broker)]
    public async Task Publish_InTheNameOfAnother_IsNotAuthorised(DeviceWay way)
    {
        await using var edge = await DeviceEdge.StartAsync(way, On);
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        var result = await PublishAsync(client, OtherSerial, Ready, NotReady);
        await PublishAsync(client, Serial, Ready, NotReady);

        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, result.ReasonCode);
        await Eventually.TrueAsync(() => !edge.Grains.Device(Serial).Received.IsEmpty, "the device's own event");
        Assert.Empty(edge.Grains.Device(OtherSerial).Received);
        Assert.Empty(edge.Grains.Device(OtherSerial).Admitted);
    }

    [Theory]
    [InlineData(DeviceWay.Listener, "{", "PAYLOAD_INVALID")]
    [InlineData(DeviceWay.Broker, "{", "PAYLOAD_INVALID")]
    [InlineData(DeviceWay.Listener, """{"serial":"CAM-000002"}""", "SERIAL_MISMATCH")]
    [InlineData(DeviceWay.Broker, """{"serial":"CAM-000002"}""", "SERIAL_MISMATCH")]
    [InlineData(DeviceWay.Listener, null, "PAYLOAD_TOO_LARGE")]
    [InlineData(DeviceWay.Broker, null, "PAYLOAD_TOO_LARGE")]
    public async Task Publish_ThatMayNotBe_IsRejectedBeforeTheGrain(DeviceWay way, string? payload, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync(way, On);
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        await PublishAsync(client, Serial, Ready, payload ?? new string(' ', 9 * 1024));

        Assert.Contains(reason, await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Serial).Received);
    }

    /// <summary>A broker whose rules do not bind these topics yet must not open a way to other devices' alarms by an upgrade.</summary>
    [Fact]
    public async Task Publish_WithoutTheSetting_IsNotTaken()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker);
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        await PublishAsync(client, Serial, Ready, NotReady);
        await client.PublishAsync(Serial, Topics.Status, Samples.Status());

        await Eventually.TrueAsync(() => edge.Grains.Device(Serial).Received.Any(said => said is ReportStatus), "the status behind it");
        Assert.DoesNotContain(edge.Grains.Device(Serial).Received, said => said is ReportNativeEvent);
    }

    /// <summary>The broker remembers what its clients subscribed to.</summary>
    [Fact]
    public async Task Start_WithoutTheSettingAfterOneWithIt_LeavesTheTopics()
    {
        await using var broker = await Mosquitto.StartAsync();
        await (await DeviceEdge.StartBehindAsync(broker, "gateway-1", null, On)).DisposeAsync();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1");
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        Assert.Equal(
            MqttClientPublishReasonCode.NoMatchingSubscribers, (await PublishAsync(client, Serial, Ready, NotReady)).ReasonCode);
    }

    [Theory]
    [InlineData(Serial, true)]
    [InlineData(OtherSerial, false)]
    [InlineData(null, false)]
    public async Task Publish_WhereThePropertySaysWhoItIs_IsTakenOnlyWithIt(string? said, bool isTaken)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, On, ("Muster:Broker:IdentityProperty", "identity"));
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        await client.PublishAsync(Message(Ready, said));
        await client.PublishAsync(Message("event/Device/Sensor/PIR", Serial));

        // They come in their order: whoever sees the last one has seen what became of the first.
        var device = edge.Grains.Device(Serial);
        await Eventually.TrueAsync(() => device.Received.Cast<ReportNativeEvent>().Any(one => one.Signal is null), "the last event");
        Assert.Equal(isTaken, device.Received.Cast<ReportNativeEvent>().Any(one => one.Signal is not null));
    }

    [Fact]
    public async Task Flood_OfEvents_IsRefusedAndItsNeighbourIsServed()
    {
        await using var edge = await DeviceEdge.StartAsync(
            DeviceWay.Broker, On, ("Muster:Broker:MessagesPerSecond", "5"), ("Muster:Broker:MessagesBurst", "5"));
        await using var client = await TestClient.ConnectedAsync(edge, Serial);
        await using var neighbour = await TestClient.ConnectedAsync(edge, OtherSerial);

        await Task.WhenAll(Enumerable.Range(1, 500).Select(_ => PublishAsync(client, Serial, "event/Device/Sensor/PIR", "motion")));
        await PublishAsync(neighbour, OtherSerial, Ready, NotReady);

        await Eventually.TrueAsync(() => !edge.Grains.Device(OtherSerial).Received.IsEmpty, "the neighbour's event");
        Assert.Contains("LIMIT_REACHED", await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.InRange(edge.Grains.Device(Serial).Received.Count, 1, 100);
    }

    [Fact]
    public async Task Device_WithTheRealGrain_HasItsAlarmsOnceItIsEnrolledAndIsRefusedAsATombstone()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1", silo.Grains, On);
        var device = silo.Device(Serial);
        var spec = new ExpectedDevice("P3265-V", "active", "lab", "", EnrollmentApproval.Automatic);
        await device.ExpectAsync(new ExpectDevice(Actor.Operator("ann"), "r1", spec));
        await using var client = await TestClient.ConnectedAsync(edge, Serial);
        await PublishAsync(client, Serial, Ready, NotReady);
        Assert.Contains("IDENTITY_NOT_PROVEN", await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);

        using var makers = await EnrolAsync(edge);
        await PublishAsync(client, Serial, Ready, NotReady);
        await Eventually.TrueAsync(() => Alarms(device).Length == 1, "the alarm");
        Assert.Equal(AlarmKind.SystemNotReady, Alarms(device).Single().Kind);
        await PublishAsync(client, Serial, Ready, NotReady.Replace("\"0\"", "\"1\"", StringComparison.Ordinal));
        await Eventually.TrueAsync(() => Alarms(device).IsEmpty, "the end of the alarm");

        await EraseAsync(device, client, makers);
        await PublishAsync(client, Serial, "event/Device/Sensor/PIR", "motion");
        Assert.Contains("DEVICE_DECOMMISSIONED", await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);
    }

    private static ImmutableArray<DeviceAlarm> Alarms(IDeviceGrain device) =>
        device.GetAsync().Result.Device!.Alarms;

    private static async Task<X509Certificate2> EnrolAsync(DeviceEdge edge)
    {
        // The client disposes of its own copy.
        var makers = edge.Pki.Issue(Serial);
        var copy = X509CertificateLoader.LoadPkcs12(makers.Export(X509ContentType.Pfx), null, X509KeyStorageFlags.Exportable);
        await using var client = new TestClient(edge, copy, edge.MqttPort);
        await client.ConnectAsync(Serial);
        Assert.True((await client.PublishAsync(Serial, Topics.Hello, Samples.Hello(Serial))).IsSuccess);
        await client.DisconnectAsync();
        return makers;
    }

    private static async Task EraseAsync(IDeviceGrain device, TestClient client, X509Certificate2 makers)
    {
        var now = TimeProvider.System.GetUtcNow();
        await device.BeginDecommissionAsync(new BeginDecommission(
            Actor.Operator("ann"), new DeviceCommand(CommandKind.FactoryDefault, new string('a', 32), now, now.AddHours(1))));
        Assert.True(DeviceId.TryParse(Serial, out var id));
        var proof = new ErasureProof(TenantId.Default, id, new string('a', 32), "boot-2", ErasureProof.FactoryDefault);
        await client.PublishAsync(Serial, Topics.Result, new Wire.Result
        {
            Stamp = new Wire.Stamp { BootId = "boot-2", Sequence = 1 },
            Nonce = proof.Nonce,
            Succeeded = true,
            Proof = Google.Protobuf.ByteString.CopyFrom(ErasureProofSigner.Sign(proof, makers)),
        });
        await Eventually.TrueAsync(() => device.GetAsync().Result.Device!.State == DeviceState.Decommissioned, "the tombstone");
    }

    private static MqttApplicationMessage Message(string topic, string? identity)
    {
        var builder = new MqttApplicationMessageBuilder()
            .WithTopic($"axis/{Serial}/{topic}")
            .WithPayload(NotReady)
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce);
        return (identity is null ? builder : builder.WithUserProperty("identity", Encoding.UTF8.GetBytes(identity))).Build();
    }

    private static Task<MqttClientPublishResult> PublishAsync(TestClient client, string serial, string topic, string payload) =>
        client.PublishAsync($"axis/{serial}/{topic}", Encoding.UTF8.GetBytes(payload));
}
