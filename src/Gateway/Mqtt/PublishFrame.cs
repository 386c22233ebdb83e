using System.Buffers;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// A PUBLISH, still in the connection's buffer: on the way of every report nothing is copied before the message itself is read.
/// </summary>
/// <param name="Topic">UTF-8.</param>
/// <param name="PacketId">0 for QoS 0.</param>
/// <param name="Qos">0 to 2.</param>
/// <param name="Retain">The retain flag.</param>
/// <param name="HasTopicAlias">A topic alias was named (MQTT 5), though the server allows none.</param>
/// <param name="Payload">The application message.</param>
internal readonly record struct PublishFrame(
    ReadOnlySequence<byte> Topic,
    ushort PacketId,
    int Qos,
    bool Retain,
    bool HasTopicAlias,
    ReadOnlySequence<byte> Payload)
{
    public static bool TryRead(in Frame frame, bool isVersion5, out PublishFrame publish)
    {
        publish = default;
        var qos = (frame.Header >> 1) & 3;
        var reader = new SequenceReader<byte>(frame.Body);
        short packetId = 0;
        if (qos == 3
            || !TryReadBytes(ref reader, out var topic)
            || (qos > 0 && (!reader.TryReadBigEndian(out packetId) || packetId == 0)))
        {
            return false;
        }

        var hasAlias = false;
        if (isVersion5 && !TryReadProperties(ref reader, out hasAlias))
        {
            return false;
        }

        publish = new PublishFrame(topic, (ushort)packetId, qos, (frame.Header & 1) != 0, hasAlias, reader.UnreadSequence);
        return true;
    }

    private static bool TryReadProperties(ref SequenceReader<byte> reader, out bool hasAlias)
    {
        hasAlias = false;
        if (FrameReader.TryReadLength(ref reader, out var length) != FrameStatus.Complete || length > reader.Remaining)
        {
            return false;
        }

        var properties = new SequenceReader<byte>(reader.UnreadSequence.Slice(0, length));
        reader.Advance(length);
        while (properties.TryRead(out var id))
        {
            hasAlias |= id == 0x23;
            if (!TrySkipProperty(ref properties, id))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The properties that a client may put into a PUBLISH (MQTT 5, 3.3.2.3).</summary>
    private static bool TrySkipProperty(ref SequenceReader<byte> properties, byte id) => id switch
    {
        0x01 => TrySkip(ref properties, 1),
        0x02 => TrySkip(ref properties, 4),
        0x23 => TrySkip(ref properties, 2),
        0x03 or 0x08 or 0x09 => TryReadBytes(ref properties, out _),
        0x26 => TryReadBytes(ref properties, out _) && TryReadBytes(ref properties, out _),
        _ => false,
    };

    private static bool TrySkip(ref SequenceReader<byte> reader, int count)
    {
        if (reader.Remaining < count)
        {
            return false;
        }

        reader.Advance(count);
        return true;
    }

    private static bool TryReadBytes(ref SequenceReader<byte> reader, out ReadOnlySequence<byte> bytes)
    {
        bytes = default;
        if (!reader.TryReadBigEndian(out short length) || reader.Remaining < (ushort)length)
        {
            return false;
        }

        bytes = reader.UnreadSequence.Slice(0, (ushort)length);
        reader.Advance((ushort)length);
        return true;
    }
}
