using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class TopicAliasTests
{
    private static readonly string StatusTopic = Topics.Up(Samples.Serial, Topics.Status);

    private static readonly string ReportTopic = Topics.Up(Samples.Serial, Topics.Report);

    [Fact]
    public async Task Publish_WithAnAlias_MeansTheTopicThatStoodBesideItLast()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        await PublishAsync(client, StatusTopic, 1, Samples.Status(1));
        await PublishAsync(client, ReportTopic, TopicAliases.Max, Samples.Report(2));
        await PublishAsync(client, "", 1, Samples.Status(3));
        await PublishAsync(client, "", TopicAliases.Max, Samples.Report(4));
        await PublishAsync(client, ReportTopic, 1, Samples.Report(5));
        await PublishAsync(client, "", 1, Samples.Report(6));

        Assert.Equal(
            [typeof(ReportStatus), typeof(ReportProgress), typeof(ReportStatus), typeof(ReportProgress), typeof(ReportProgress),
                typeof(ReportProgress)],
            edge.Grains.Device(Samples.Serial).Received.Select(message => message.GetType()));
    }

    [Fact]
    public async Task Publish_WithAnAliasOfAnAxisTopic_IsTheSameEvent()
    {
        const string Topic = $"axis/{Samples.Serial}/event/tns:onvif/Device/tns:axis/Status/SystemReady";
        const string NotReady = """{"message":{"data":{"ready":"0"}}}""";
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        await PublishAsync(client, Topic, 2, NotReady);
        await PublishAsync(client, "", 2, NotReady);

        Assert.Equal(
            [AlarmKind.SystemNotReady, AlarmKind.SystemNotReady],
            edge.Grains.Device(Samples.Serial).Received.Cast<ReportNativeEvent>().Select(native => native.Signal?.Kind));
    }

    [Theory]
    [InlineData(Topics.Prefix + Samples.OtherSerial + "/up/status", MqttPubAckReasonCode.NotAuthorized)]
    [InlineData("somewhere/else", MqttPubAckReasonCode.TopicNameInvalid)]
    public async Task Publish_WithAnAliasOfATopicThatIsNotItsOwn_IsRefusedEveryTime(string topic, MqttPubAckReasonCode code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        foreach (var named in new[] { topic, "" })
        {
            await client.SendAsync(RawPackets.Publish(named, 7, Samples.Status(), RawPackets.TopicAlias(3)));
            Assert.Equal(code, await NextPubAckAsync(client));
        }

        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
        Assert.Empty(edge.Grains.Device(Samples.OtherSerial).Received);
    }

    [Theory]
    [InlineData(true, 0, 0x94)]
    [InlineData(true, TopicAliases.Max + 1, 0x94)]
    [InlineData(true, 65535, 0x94)]
    [InlineData(false, 0, 0x94)]
    [InlineData(false, 2, 0x94)]
    [InlineData(false, null, 0x82)]
    public async Task Publish_WithAnAliasThatMayNotBe_EndsTheSession(bool hasTopic, int? alias, byte code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await ConnectAsync(edge);

        await client.SendAsync(RawPackets.Publish(
            hasTopic ? StatusTopic : "", 7, Samples.Status(), alias is { } number ? RawPackets.TopicAlias((ushort)number) : []));

        var end = await client.ReceiveAsync();
        Assert.Equal([0xE0, code], [end[0], end[2]]);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Received);
    }

    [Fact]
    public async Task Publish_WithAnAliasOfAnEarlierConnection_EndsTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using (var earlier = await ConnectAsync(edge))
        {
            await PublishAsync(earlier, StatusTopic, 1, Samples.Status(1));
        }

        await using var client = await ConnectAsync(edge);
        await client.SendAsync(RawPackets.Publish("", 7, Samples.Status(2), RawPackets.TopicAlias(1)));

        var end = await client.ReceiveAsync();
        Assert.Equal([0xE0, 0x94], [end[0], end[2]]);
    }

    [Fact]
    public void TryFind_OfAnAliasInUse_AllocatesNothing()
    {
        var aliases = new TopicAliases();
        var topics = new UpTopic(DeviceId.TryParse(Samples.Serial, out var id) ? id : throw new FormatException());
        var first = Parse(RawPackets.Publish(StatusTopic, 7, "{}", RawPackets.TopicAlias(4)));
        aliases.Set(first.TopicAlias, topics.Read(first.Topic, out var kind, out var rest), kind, rest);
        var bytes = RawPackets.Publish("", 7, "{}", RawPackets.TopicAlias(4));
        Assert.True(TryFind());
        var before = GC.GetAllocatedBytesForCurrentThread();

        var found = true;
        for (var i = 0; i < 1000; i++)
        {
            found &= TryFind();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(found);

        bool TryFind() =>
            FrameReader.TryRead(new ReadOnlySequence<byte>(bytes), bytes.Length, out var frame) == FrameStatus.Complete
            && PublishFrame.TryRead(frame, isVersion5: true, out var publish)
            && aliases.TryFind(publish.TopicAlias, out var status, out var meant, out _)
            && (status, meant) == (UpTopicStatus.Own, UpKind.Status);
    }

    [Fact]
    public void Set_OfALongTopic_KeepsNoMoreThanAnEventHas()
    {
        var aliases = new TopicAliases();

        aliases.Set(1, UpTopicStatus.Axis, UpKind.Unspecified, new ReadOnlySequence<byte>(new byte[ushort.MaxValue]));

        Assert.True(aliases.TryFind(1, out _, out _, out var rest));
        Assert.InRange(rest.Length, 1, 256);
    }

    private static PublishFrame Parse(byte[] packet)
    {
        Assert.Equal(FrameStatus.Complete, FrameReader.TryRead(new ReadOnlySequence<byte>(packet), packet.Length, out var frame));
        Assert.True(PublishFrame.TryRead(frame, isVersion5: true, out var publish));
        return publish;
    }

    private static async Task<RawClient> ConnectAsync(DeviceEdge edge)
    {
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var client = await RawClient.ConnectAsync(edge, certificate);
        await client.SendAsync(RawPackets.Connect(Samples.Serial, []));
        Assert.Equal(TopicAliases.Max, (await client.ReceiveAsync<MqttConnAckPacket>()).TopicAliasMaximum);
        return client;
    }

    private static async Task PublishAsync(RawClient client, string topic, ushort alias, string payload)
    {
        await client.SendAsync(RawPackets.Publish(topic, 7, payload, RawPackets.TopicAlias(alias)));
        Assert.Equal(MqttPubAckReasonCode.Success, await NextPubAckAsync(client));
    }

    /// <summary>Between them the gateway sends what the grain answers.</summary>
    private static async Task<MqttPubAckReasonCode> NextPubAckAsync(RawClient client)
    {
        while (true)
        {
            var bytes = await client.ReceiveAsync();
            if (bytes[0] == 0x40)
            {
                var code = bytes[1] > 127 ? 5 : 4;
                return bytes.Length > code ? (MqttPubAckReasonCode)bytes[code] : MqttPubAckReasonCode.Success;
            }
        }
    }
}
