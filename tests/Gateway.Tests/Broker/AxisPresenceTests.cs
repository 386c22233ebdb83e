using System.Text;
using Microsoft.Extensions.DependencyInjection;
using MQTTnet;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Gateway.Broker;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Broker;

/// <summary>Whether a camera is there, by what AXIS OS says of its connection to a broker.</summary>
public sealed class AxisPresenceTests
{
    private const string Serial = "CAM-000001";

    private const string Connected = """{"connected":true,"description":"Connected"}""";

    private const string Lost = """{"connected":false,"description":"Lost"}""";

    private static readonly string Topic = $"axis/{Serial}/event/connection";

    private static readonly (string Key, string Value) On = ("Muster:Broker:AxisEvents", "true");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Presence_OfACamera_BeginsWithItsConnectMessageAndEndsWithItsWordOrItsWill(bool saysIt)
    {
        await using var broker = await Mosquitto.StartAsync();
        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1", null, On);
        var client = await ConnectAsync(edge);

        await client.PublishAsync(Topic, Encoding.UTF8.GetBytes(Connected));
        await Eventually.TrueAsync(() => Last(edge) is { Connected: true }, "presence");
        if (saysIt)
        {
            await client.PublishAsync(Topic, Encoding.UTF8.GetBytes(Lost));
            await client.DisconnectAsync();
        }

        await client.DisposeAsync();
        await Eventually.TrueAsync(() => Last(edge) is { Connected: false }, "the end of presence");
        Assert.Equal((DisconnectReason.ConnectionLost, Lost), (Last(edge)!.Value.Reason, Last(edge)!.Value.LastWill));
        Assert.Single(edge.Grains.Device(Serial).Disconnected);

        await using var back = await ConnectAsync(edge);
        await back.PublishAsync(Topic, Encoding.UTF8.GetBytes(Connected));
        await Eventually.TrueAsync(() => Last(edge) is { Connected: true }, "presence again");
    }

    /// <summary>A camera that came back while the gateway was away is there: what it said last counts.</summary>
    [Theory]
    [InlineData(Connected, Lost, false)]
    [InlineData(Lost, Connected, true)]
    public async Task Presence_AfterTheGatewayWasAway_IsWhatWasSaidLast(string first, string last, bool isPresent)
    {
        await using var broker = await Mosquitto.StartAsync();
        var before = await DeviceEdge.StartBehindAsync(broker, "gateway-1", null, On);
        await using var client = await TestClient.ConnectedAsync(before, Serial);
        await before.DisposeAsync();
        await client.PublishAsync(Topic, Encoding.UTF8.GetBytes(first));
        await client.PublishAsync(Topic, Encoding.UTF8.GetBytes(last));

        await using var edge = await DeviceEdge.StartBehindAsync(broker, "gateway-1", null, On);

        var device = edge.Grains.Device(Serial);
        await Eventually.TrueAsync(() => device is { Disconnected.Count: 1, Received.Count: 1 }, "both");
        await Eventually.TrueAsync(() => Last(edge)?.Connected == isPresent, "presence");
    }

    [Fact]
    public async Task Will_WhoseWordsSayNothing_MakesNobodyPresent()
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, On);
        await using var client = await TestClient.ConnectedAsync(edge, Serial);

        await client.PublishAsync(Topic, Encoding.UTF8.GetBytes("offline"));

        Assert.Contains("PAYLOAD_INVALID", await client.NextAsync(Serial, Topics.Rejection), StringComparison.Ordinal);
        Assert.Empty(edge.Grains.Device(Serial).Admitted);
    }

    /// <summary>Some brokers keep messages and send them with a subscription, whatever was asked for.</summary>
    [Theory]
    [InlineData("axis/CAM-000001/event/connection", Connected)]
    [InlineData("axis/CAM-000001/event/connection", Lost)]
    [InlineData("muster/v1/devices/CAM-000001/up/status", null)]
    public async Task Message_ThatTheBrokerKept_IsNoNews(string topic, string? payload)
    {
        await using var edge = await DeviceEdge.StartAsync(DeviceWay.Broker, On);
        var acknowledged = 0;
        var kept = new MqttApplicationMessage
        {
            Topic = topic,
            PayloadSegment = Encoding.UTF8.GetBytes(payload ?? Samples.Status()),
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            Retain = true,
        };
        edge.Services.GetRequiredService<BrokerInbox>().Take(
            new MqttApplicationMessageReceivedEventArgs("gateway-1", kept, new MqttPublishPacket(), (_, _) =>
            {
                acknowledged++;
                return Task.CompletedTask;
            }),
            TestContext.Current.CancellationToken);
        await using var client = await TestClient.ConnectedAsync(edge, Serial);
        await client.PublishAsync(Serial, Topics.Report, Samples.Report());

        // What comes now is behind it.
        var device = edge.Grains.Device(Serial);
        await Eventually.TrueAsync(() => !device.Received.IsEmpty, "the report");
        Assert.IsType<ReportProgress>(Assert.Single(device.Received));
        Assert.Empty(device.Disconnected);
        Assert.Single(device.Admitted);
        Assert.Equal(1, acknowledged);
    }

    /// <summary>A camera may have its connect message retained: said now it is news, also with that flag.</summary>
    [Fact]
    public async Task ConnectMessage_RetainedAndSaidNow_IsNewsOnceAndNoneForWhoComesLater()
    {
        await using var broker = await Mosquitto.StartAsync(retains: true);
        await using (var first = await DeviceEdge.StartBehindAsync(broker, "gateway-1", null, On))
        {
            await using var client = await TestClient.ConnectedAsync(first, Serial);
            await client.PublishAsync(Topic, Encoding.UTF8.GetBytes(Connected), retain: true);
            await Eventually.TrueAsync(() => Last(first) is { Connected: true }, "presence");
        }

        await using var later = await DeviceEdge.StartBehindAsync(broker, "gateway-2", null, On);
        await using var other = await TestClient.ConnectedAsync(later, Samples.OtherSerial);
        await Eventually.TrueAsync(
            () =>
            {
                // Every second one is dealt to the gateway that is away.
                _ = other.PublishAsync(Samples.OtherSerial, Topics.Status, Samples.Status());
                return !later.Grains.Device(Samples.OtherSerial).Received.IsEmpty;
            },
            "another device's word");
        Assert.Empty(later.Grains.Device(Serial).Admitted);
    }

    private static async Task<TestClient> ConnectAsync(DeviceEdge edge)
    {
        var client = new TestClient(edge, edge.IssueDevice(Serial));
        await client.ConnectAsync(Serial, configure: options => options
            .WithWillTopic(Topic).WithWillPayload(Lost).WithWillQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce));
        return client;
    }

    private static SessionPresence? Last(DeviceEdge edge) => edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions)
        .Where(session => session.Device.Value == Serial)
        .Select(session => (SessionPresence?)session)
        .LastOrDefault();
}
