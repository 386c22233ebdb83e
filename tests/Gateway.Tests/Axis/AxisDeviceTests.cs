using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Trust;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Axis;

/// <summary>AXIS OS' own topics over the devices' listener.</summary>
public sealed class AxisDeviceTests
{
    private const string Serial = "CAM-000001";

    private const string Ready = "event/tns:onvif/Device/tns:axis/Status/SystemReady";

    private const string NotReady = """{"topic":"onvif:Device/axis:Status/SystemReady","message":{"data":{"ready":"0"}}}""";

    [Theory]
    [InlineData(MqttProtocolVersion.V500)]
    [InlineData(MqttProtocolVersion.V311)]
    public async Task Publish_OnItsOwnAxisTopics_ReachesTheGrain(MqttProtocolVersion version)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Serial, version: version);

        Assert.True((await PublishAsync(client, Serial.ToLowerInvariant(), Ready, NotReady)).IsSuccess);
        Assert.True((await PublishAsync(client, Serial, "event/Device/Sensor/PIR", "anything")).IsSuccess);
        Assert.True((await PublishAsync(client, Serial, "event/connection", """{"connected":true}""")).IsSuccess);

        Assert.Collection(
            edge.Grains.Device(Serial).Received.Cast<ReportNativeEvent>(),
            first => Assert.Equal(new AlarmSignal(AlarmKind.SystemNotReady, "", IsRaised: true, IsMomentary: false), first.Signal),
            motion => Assert.Null(motion.Signal),
            connected => Assert.Equal((null, 1L, Serial), (connected.Signal, connected.Session.Epoch, connected.Identity.Device.Value)));
    }

    [Theory]
    [InlineData("CAM-000002", NotReady, MqttClientPublishReasonCode.NotAuthorized, "TOPIC_NOT_ALLOWED")]
    [InlineData(Serial, "{", MqttClientPublishReasonCode.PayloadFormatInvalid, "PAYLOAD_INVALID")]
    [InlineData(Serial, """{"serial":"CAM-000002"}""", MqttClientPublishReasonCode.NotAuthorized, "SERIAL_MISMATCH")]
    public async Task Publish_ThatMayNotBe_IsRefusedWithItsReason(
        string serial, string payload, MqttClientPublishReasonCode code, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        var result = await PublishAsync(client, serial, Ready, payload);

        Assert.Equal(code, result.ReasonCode);
        Assert.StartsWith(reason, result.ReasonString, StringComparison.Ordinal);
        Assert.Contains(reason, await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Serial).Received);
    }

    /// <summary>Events name no boot: a clone that sends some is none the less told from the device by its older connection.</summary>
    [Fact]
    public async Task Ping_OfAnOlderConnectionThatSendsEventsToo_IsAnsweredAndSuspicious()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Serial);
        await using var older = await RawClient.ConnectAsync(edge, certificate);
        await older.ConnectAsync(Serial + "/axis", keepAlive: 60);
        await older.ReceiveAsync<MqttConnAckPacket>();
        await older.SendAsync(RawPackets.Publish(Topics.Up(Serial, Topics.Status), 1, Samples.Status()));
        await older.ReceiveAsync<MqttPubAckPacket>();
        await older.SendAsync(RawPackets.Publish($"axis/{Serial}/{Ready}", 2, NotReady));
        await older.ReceiveAsync<MqttPubAckPacket>();
        await using var newer = await TestClient.ConnectedAsync(edge, Serial);
        await newer.PublishAsync(Serial, Topics.Hello, Samples.Hello(Serial).Replace("boot-1", "boot-2", StringComparison.Ordinal));

        await older.SendAsync(RawPackets.PingReq);

        Assert.Equal([0xD0, 0], await older.ReceiveAsync());
        var suspected = edge.Grains.Device(Serial).Suspected;
        await Eventually.TrueAsync(() => suspected.Any(one => one.Kind == SuspicionKind.OlderConnectionAlive), "the suspicion");
    }

    [Fact]
    public async Task Subscribe_ToAxisTopics_IsNotAllowed()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await client.SubscribeAsync($"axis/{Serial}/#"));
    }

    [Theory]
    [InlineData(false, "gone")]
    [InlineData(true, null)]
    public async Task Presence_OfADeviceWithALastWill_HasItsWordsWhenItWentWithoutAGoodbye(bool saysGoodbye, string? words)
    {
        await using var edge = await DeviceEdge.StartAsync();
        var client = new TestClient(edge, edge.Pki.Issue(Serial));
        await client.ConnectAsync(Serial, configure: options => options
            .WithWillTopic($"axis/{Serial}/event/connection").WithWillPayload("gone"));
        if (saysGoodbye)
        {
            await client.DisconnectAsync();
        }

        await client.DisposeAsync();

        await Eventually.TrueAsync(
            () => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions).Any(session => !session.Connected), "the end");
        var gone = edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions).Last(session => !session.Connected);
        Assert.Equal(words, gone.LastWill);
        Assert.Equal(saysGoodbye ? DisconnectReason.ClosedByDevice : DisconnectReason.ConnectionLost, gone.Reason);
    }

    /// <summary>AXIS OS says goodbye by a message of its own; the packet may be missing.</summary>
    [Theory]
    [InlineData("false", DisconnectReason.ClosedByDevice, null)]
    [InlineData("true", DisconnectReason.ConnectionLost, "gone")]
    public async Task Presence_OfADeviceThatSaidItGoes_EndsAsItSaidWithItsConnection(string last, DisconnectReason reason, string? words)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.Issue(Serial));
        await client.ConnectAsync(Serial, configure: options => options
            .WithWillTopic($"axis/{Serial}/event/connection").WithWillPayload("gone"));
        foreach (var connected in new[] { "true", "false", last })
        {
            Assert.True((await PublishAsync(client, Serial, "event/connection", $$"""{"connected":{{connected}}}""")).IsSuccess);
        }

        await Eventually.TrueAsync(() => Sessions(edge).Any(session => session.Connected), "the connection");
        Assert.True(client.IsConnected);
        Assert.DoesNotContain(Sessions(edge), session => !session.Connected);
        await client.DisposeAsync();

        await Eventually.TrueAsync(() => Sessions(edge).Any(session => !session.Connected), "the end");
        var gone = Sessions(edge).Last(session => !session.Connected);
        Assert.Equal((reason, words), (gone.Reason, gone.LastWill));
    }

    private static IEnumerable<SessionPresence> Sessions(DeviceEdge edge) =>
        edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions);

    [Fact]
    public async Task Device_WithTheRealGrain_HasItsAlarmsOnlyOnceItIsEnrolled()
    {
        await using var silo = await DeviceSilo.StartAsync();
        await using var edge = await DeviceEdge.StartAsync(silo.Grains);
        var device = silo.Device(Serial);
        var spec = new ExpectedDevice("P3265-V", "active", "lab", "", EnrollmentApproval.Automatic);
        await device.ExpectAsync(new ExpectDevice(Actor.Operator("ann"), "r1", spec));
        await using var client = await TestClient.ConnectedAsync(edge, Serial);
        var early = await PublishAsync(client, Serial, Ready, NotReady);

        await client.PublishAsync(Serial, Topics.Hello, Samples.Hello(Serial));
        Assert.True((await PublishAsync(client, Serial, Ready, NotReady)).IsSuccess);

        Assert.StartsWith("DEVICE_NOT_ENROLLED", early.ReasonString, StringComparison.Ordinal);
        Assert.Equal(AlarmKind.SystemNotReady, Assert.Single((await device.GetAsync()).Device!.Alarms).Kind);
        Assert.True((await PublishAsync(client, Serial, Ready, NotReady.Replace("\"0\"", "\"1\"", StringComparison.Ordinal))).IsSuccess);
        Assert.Empty((await device.GetAsync()).Device!.Alarms);
    }

    private static Task<MqttClientPublishResult> PublishAsync(TestClient client, string serial, string topic, string payload) =>
        client.PublishAsync($"axis/{serial}/{topic}", Encoding.UTF8.GetBytes(payload));
}
