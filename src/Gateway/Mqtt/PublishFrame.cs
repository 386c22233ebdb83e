using System.Buffers;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// A PUBLISH, still in the connection's buffer: on the way of every report nothing is copied before the message itself is read.
/// </summary>
/// <param name="Topic">UTF-8; empty when a topic alias stands for it.</param>
/// <param name="PacketId">0 for QoS 0.</param>
/// <param name="Qos">0 to 2.</param>
/// <param name="TopicAlias">As the device wrote it (MQTT 5), <see cref="NoTopicAlias"/> for none.</param>
/// <param name="Properties">All of them; empty in MQTT 3.1.1.</param>
/// <param name="Payload">The application message.</param>
internal readonly record struct PublishFrame(
    ReadOnlySequence<byte> Topic,
    ushort PacketId,
    int Qos,
    int TopicAlias,
    ReadOnlySequence<byte> Properties,
    ReadOnlySequence<byte> Payload)
{
    /// <summary>No alias was named: 0 is one that must not be.</summary>
    public const int NoTopicAlias = -1;

    /// <summary>The least that a PUBLISH of QoS 1 can have: its header, an empty topic, a packet identifier, no property.</summary>
    public const int AcknowledgedBytesMin = 7;

    /// <summary>True for the header of a PUBLISH that wants an answer.</summary>
    public static bool IsAcknowledged(byte header) => header >> 4 == 3 && (header & 6) != 0;

    public static bool TryRead(in Frame frame, bool isVersion5, out PublishFrame publish)
    {
        publish = default;
        var qos = (frame.Header >> 1) & 3;
        var reader = new SequenceReader<byte>(frame.Body);
        short packetId = 0;
        if (qos == 3
            || !MqttProperties.TryReadBytes(ref reader, out var topic)
            || (qos > 0 && (!reader.TryReadBigEndian(out packetId) || packetId == 0)))
        {
            return false;
        }

        var alias = NoTopicAlias;
        ReadOnlySequence<byte> properties = default;
        if (isVersion5
            && (!MqttProperties.TryTake(ref reader, out properties) || !MqttProperties.TryReadPublish(properties, out alias)))
        {
            return false;
        }

        publish = new PublishFrame(topic, (ushort)packetId, qos, alias, properties, reader.UnreadSequence);
        return true;
    }
}
