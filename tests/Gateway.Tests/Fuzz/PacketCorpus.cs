using System.Buffers;
using System.Text;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Gateway.Tests.Edge;
using Muster.Protocol;

namespace Muster.Gateway.Tests.Fuzz;

/// <summary>Well-formed packets of a device in both versions, and what mutation makes of them.</summary>
internal sealed class PacketCorpus
{
    private static readonly MqttUserProperty Trace =
        new("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"u8.ToArray());

    private readonly byte[][] _packets;
    private readonly byte[][] _connects;

    public PacketCorpus(MqttProtocolVersion version)
    {
        _connects = [.. Connects().Select(packet => Encode(version, packet))];
        _packets = [.. Packets().Select(packet => Encode(version, packet)), .. _connects];
    }

    /// <summary>As a device sends it; the first is admitted.</summary>
    public ReadOnlyMemory<byte> Connect => _connects[0];

    /// <summary>Any packet, changed once to four times: bits, bytes, lengths, pieces dropped, doubled or of another packet.</summary>
    public byte[] Mutate(Random random)
    {
        var packet = _packets[random.Next(_packets.Length)].ToList();
        for (var changes = random.Next(1, 5); changes > 0 && packet.Count > 0; changes--)
        {
            var at = random.Next(packet.Count);
            switch (random.Next(7))
            {
                case 0:
                    packet[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    packet[at] = (byte)random.Next(256);
                    break;
                case 2:
                    packet[at] = random.Next(2) == 0 ? (byte)0 : (byte)255;
                    break;
                case 3:
                    packet.RemoveRange(at, random.Next(packet.Count - at + 1));
                    break;
                case 4:
                    packet.InsertRange(at, packet.GetRange(at, Math.Min(random.Next(1, 64), packet.Count - at)));
                    break;
                case 5:
                    var other = _packets[random.Next(_packets.Length)];
                    packet.InsertRange(at, other.Take(random.Next(other.Length + 1)));
                    break;
                default:
                    WriteLength(packet, random.Next(4) == 0 ? random.Next() & 0x0FFF_FFFF : Math.Max(0, packet.Count - 2));
                    break;
            }
        }

        return [.. packet];
    }

    private static IEnumerable<MqttPacket> Connects()
    {
        yield return new MqttConnectPacket { ClientId = Samples.Serial, CleanSession = true, KeepAlivePeriod = 60 };
        yield return new MqttConnectPacket { ClientId = string.Empty, CleanSession = true, KeepAlivePeriod = 60, ReceiveMaximum = 1 };
        yield return new MqttConnectPacket
        {
            ClientId = Samples.Serial,
            KeepAlivePeriod = 60,
            Username = "user",
            Password = "password"u8.ToArray(),
            WillFlag = true,
            WillTopic = Topics.Up(Samples.Serial, Topics.Status),
            WillMessage = "gone"u8.ToArray(),
            SessionExpiryInterval = 3600,
            ReceiveMaximum = 8,
            TopicAliasMaximum = 4,
            MaximumPacketSize = 65_536,
            UserProperties = [Trace],
        };
    }

    private static IEnumerable<MqttPacket> Packets()
    {
        (string Name, string Body)[] messages =
        [
            (Topics.Hello, Samples.Hello(Samples.Serial)),
            (Topics.Status, Samples.Status()),
            (Topics.Report, Samples.Report()),
            (Topics.Inventory, Samples.Inventory()),
            (Topics.Result, Samples.Result()),
        ];
        foreach (var (name, body) in messages)
        {
            yield return new MqttPublishPacket
            {
                Topic = Topics.Up(Samples.Serial, name),
                PacketIdentifier = 1,
                QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                Payload = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(body)),
                UserProperties = [Trace],
                ContentType = "application/json",
                MessageExpiryInterval = 30,
            };
        }

        var status = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(Samples.Status()));
        yield return new MqttPublishPacket { Topic = Topics.Up(Samples.OtherSerial, Topics.Status), TopicAlias = 3 };
        yield return new MqttPublishPacket { Topic = Topics.Up(Samples.Serial, Topics.Status), TopicAlias = 3, Payload = status };
        yield return new MqttPublishPacket { Topic = string.Empty, TopicAlias = 3, Payload = status };
        yield return new MqttPubAckPacket { PacketIdentifier = 1 };
        yield return new MqttPubRecPacket { PacketIdentifier = 1 };
        yield return new MqttPubRelPacket { PacketIdentifier = 1 };
        yield return new MqttSubscribePacket
        {
            PacketIdentifier = 2,
            TopicFilters = [new MqttTopicFilter { Topic = "#", QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce }],
        };
        yield return new MqttUnsubscribePacket { PacketIdentifier = 3, TopicFilters = ["a/+/b"] };
        yield return MqttPingReqPacket.Instance;
        yield return new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.DisconnectWithWillMessage };
        yield return new MqttDisconnectPacket { SessionExpiryInterval = 60 };
    }

    private static byte[] Encode(MqttProtocolVersion version, MqttPacket packet)
    {
        var formatter = new MqttPacketFormatterAdapter(version, new MqttBufferWriter(256, 4096));
        var encoded = formatter.Encode(packet);
        return [.. encoded.Packet, .. encoded.Payload.ToArray()];
    }

    /// <summary>A remaining length (MQTT 5, 1.5.5) in the place of the one that is there.</summary>
    private static void WriteLength(List<byte> packet, int length)
    {
        while (packet.Count > 1 && (packet[1] & 0x80) != 0)
        {
            packet.RemoveAt(1);
        }

        var bytes = new List<byte>();
        do
        {
            var rest = length >> 7;
            bytes.Add((byte)((length & 0x7F) | (rest > 0 ? 0x80 : 0)));
            length = rest;
        }
        while (length > 0);

        packet.RemoveRange(Math.Min(1, packet.Count), packet.Count > 1 ? 1 : 0);
        packet.InsertRange(Math.Min(1, packet.Count), bytes);
    }
}
