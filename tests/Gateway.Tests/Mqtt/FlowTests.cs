using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>How much may be under way in either direction, how large it may be, and for how long it is good.</summary>
public sealed class FlowTests
{
    private static readonly string StatusTopic = Topics.Up(Samples.Serial, Topics.Status);

    [Fact]
    public async Task Publish_OfMoreThanTheReceiveMaximum_EndsTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:ReceiveMax", "2"));
        await using var client = await ConnectAsync(edge);

        await client.SendAsync(Statuses(3));

        var end = await client.ReceiveAsync();
        Assert.Equal([0xE0, 0x93], [end[0], end[2]]);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_OfAsManyAsTheReceiveMaximum_IsTakenAgainAndAgain()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:ReceiveMax", "2"));
        await using var client = await ConnectAsync(edge);

        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync([.. Statuses(2), .. RawPackets.PingReq]);
            Assert.Equal(0x40, (await client.ReceiveAsync())[0]);
            Assert.Equal(0x40, (await client.ReceiveAsync())[0]);
            Assert.Equal(0xD0, (await client.ReceiveAsync())[0]);
        }

        Assert.Equal(6, edge.Grains.Device(Samples.Serial).Received.Count);
    }

    [Fact]
    public async Task Publish_OfMoreThanTheReceiveMaximumOnMqtt311_Waits()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:ReceiveMax", "2"));
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial, version: MqttProtocolVersion.V311);

        await Task.WhenAll(Enumerable.Range(1, 20).Select(i => client.PublishAsync(Samples.Serial, Topics.Status, Samples.Status(i))));

        Assert.Equal(20, edge.Grains.Device(Samples.Serial).Received.Count);
    }

    [Fact]
    public async Task Deliver_ToAClientThatReceivesOneAtATime_WaitsForItsPubAck()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge, 0x21, 0, 1);
        await edge.Grains.Device(Samples.Serial).SendAsync(Ack(1));
        await edge.Grains.Device(Samples.Serial).SendAsync(Ack(2));

        var first = await client.ReceiveAsync<MqttPublishPacket>();
        await client.SendAsync(RawPackets.PingReq);
        Assert.Equal(0xD0, (await client.ReceiveAsync())[0]);
        await client.SendAsync(RawPackets.PubAck(first.PacketIdentifier));

        var second = await client.ReceiveAsync<MqttPublishPacket>();
        Assert.Contains("\"sequence\": \"1\"", Text(first), StringComparison.Ordinal);
        Assert.Contains("\"sequence\": \"2\"", Text(second), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deliver_OfADocumentLargerThanTheClientTakes_IsNotSentAndCounted()
    {
        using var outcomes = new Outcomes();
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge, 0x27, 0, 0, 0, 200);

        await edge.Grains.Device(Samples.Serial).SendAsync(Samples.Desired(1));
        await Eventually.TrueAsync(() => outcomes.Seen.Contains(("desired", "too-large")), "the count");
        await edge.Grains.Device(Samples.Serial).SendAsync(Ack(1));

        Assert.EndsWith(Topics.Ack, (await client.ReceiveAsync<MqttPublishPacket>()).Topic, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deliver_OfACommand_SaysHowLongItIsGoodWithoutTheTimeItWaited()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge, 0x21, 0, 1);
        var device = edge.Grains.Device(Samples.Serial);
        await device.SendAsync(Ack(1));
        var first = await client.ReceiveAsync<MqttPublishPacket>();
        await device.SendAsync(CommandFor(edge, TimeSpan.FromSeconds(600)));

        edge.Pki.Clock.Shift(TimeSpan.FromSeconds(200));
        await client.SendAsync(RawPackets.PubAck(first.PacketIdentifier));

        var command = await client.ReceiveAsync<MqttPublishPacket>();
        Assert.EndsWith(Topics.Command, command.Topic, StringComparison.Ordinal);
        Assert.InRange(command.MessageExpiryInterval, 360u, 400u);
        Assert.Equal(0u, first.MessageExpiryInterval);
    }

    [Fact]
    public async Task Deliver_OfACommandWhoseTimeIsOver_IsNotSentAndCounted()
    {
        using var outcomes = new Outcomes();
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge, 0x21, 0, 1);
        var device = edge.Grains.Device(Samples.Serial);
        await device.SendAsync(Ack(1));
        var first = await client.ReceiveAsync<MqttPublishPacket>();
        await device.SendAsync(CommandFor(edge, TimeSpan.FromSeconds(600)));
        await device.SendAsync(Ack(2));

        edge.Pki.Clock.Shift(TimeSpan.FromSeconds(601));
        await client.SendAsync(RawPackets.PubAck(first.PacketIdentifier));

        Assert.EndsWith(Topics.Ack, (await client.ReceiveAsync<MqttPublishPacket>()).Topic, StringComparison.Ordinal);
        Assert.Contains(("command", "expired"), outcomes.Seen);
    }

    private static AckMessage Ack(long sequence) => new(UpKind.Report, new MessageStamp("b", sequence));

    private static CommandMessage CommandFor(DeviceEdge edge, TimeSpan time)
    {
        var now = edge.Pki.Clock.GetUtcNow();
        return new CommandMessage(new DeviceCommand(CommandKind.FactoryDefault, new string('0', 32), now, now + time));
    }

    private static byte[] Statuses(int count) =>
        [.. Enumerable.Range(1, count).SelectMany(i => RawPackets.Publish(StatusTopic, (ushort)i, Samples.Status(i)))];

    private static string Text(MqttPublishPacket packet)
    {
        var payload = packet.Payload;
        return Encoding.UTF8.GetString(payload);
    }

    private static async Task<RawClient> ConnectAsync(DeviceEdge edge, params byte[] properties)
    {
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var client = await RawClient.ConnectAsync(edge, certificate);
        await client.SendAsync(RawPackets.Connect(Samples.Serial, properties));
        await client.ReceiveAsync<MqttConnAckPacket>();
        return client;
    }

    /// <summary>Kinds and outcomes of down messages, of all gateways in this process.</summary>
    private sealed class Outcomes : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Outcomes()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Name: "muster_mqtt_deliveries_total", Meter.Name: GatewayInstruments.MeterName })
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
                Seen.Enqueue(((string)tags[0].Value!, (string)tags[1].Value!)));
            _listener.Start();
        }

        public ConcurrentQueue<(string Kind, string Outcome)> Seen { get; } = new();

        public void Dispose() => _listener.Dispose();
    }
}
