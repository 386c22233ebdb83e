using System.Buffers;

namespace Muster.Gateway.Mqtt;

/// <summary>Reads the properties of an MQTT 5 packet where they lie (MQTT 5, 2.2.2).</summary>
internal static class MqttProperties
{
    public const byte TopicAlias = 0x23;

    public const byte UserProperty = 0x26;

    public const byte ReceiveMaximum = 0x21;

    public const byte MaximumPacketSize = 0x27;

    /// <summary>Cuts the properties out of a packet whose next bytes are their length.</summary>
    public static bool TryTake(ref SequenceReader<byte> packet, out ReadOnlySequence<byte> properties)
    {
        properties = default;
        if (FrameReader.TryReadLength(ref packet, out var length) != FrameStatus.Complete || length > packet.Remaining)
        {
            return false;
        }

        properties = packet.UnreadSequence.Slice(0, length);
        packet.Advance(length);
        return true;
    }

    /// <summary>The properties that a client may put into a PUBLISH (MQTT 5, 3.3.2.3), and the topic alias if there is one.</summary>
    public static bool TryReadPublish(in ReadOnlySequence<byte> properties, out int topicAlias)
    {
        topicAlias = PublishFrame.NoTopicAlias;
        var reader = new SequenceReader<byte>(properties);
        while (reader.TryRead(out var id))
        {
            if (id != TopicAlias)
            {
                if (!TrySkipPublish(ref reader, id))
                {
                    return false;
                }

                continue;
            }

            if (topicAlias != PublishFrame.NoTopicAlias || !reader.TryReadBigEndian(out short alias))
            {
                return false;
            }

            topicAlias = (ushort)alias;
        }

        return true;
    }

    /// <summary>The first user property of this name, in the properties of a PUBLISH that was read before.</summary>
    public static bool TryFindUser(in ReadOnlySequence<byte> properties, ReadOnlySpan<byte> name, out ReadOnlySequence<byte> value)
    {
        value = default;
        var reader = new SequenceReader<byte>(properties);
        while (reader.TryRead(out var id))
        {
            if (id != UserProperty)
            {
                if (!TrySkipPublish(ref reader, id))
                {
                    return false;
                }

                continue;
            }

            if (!TryReadBytes(ref reader, out var key) || !TryReadBytes(ref reader, out value))
            {
                return false;
            }

            var keyReader = new SequenceReader<byte>(key);
            if (key.Length == name.Length && keyReader.IsNext(name))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A UTF-8 string or binary data: two bytes of length before it.</summary>
    public static bool TryReadBytes(ref SequenceReader<byte> reader, out ReadOnlySequence<byte> bytes)
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

    private static bool TrySkipPublish(ref SequenceReader<byte> properties, byte id) => id switch
    {
        0x01 => TrySkip(ref properties, 1),
        0x02 => TrySkip(ref properties, 4),
        TopicAlias => TrySkip(ref properties, 2),
        0x03 or 0x08 or 0x09 => TryReadBytes(ref properties, out _),
        UserProperty => TryReadBytes(ref properties, out _) && TryReadBytes(ref properties, out _),
        _ => false,
    };

    /// <summary>The properties that a client may put into a CONNECT (MQTT 5, 3.1.2.11).</summary>
    public static bool TrySkipConnect(ref SequenceReader<byte> properties, byte id) => id switch
    {
        0x17 or 0x19 => TrySkip(ref properties, 1),
        ReceiveMaximum or 0x22 => TrySkip(ref properties, 2),
        0x11 or MaximumPacketSize => TrySkip(ref properties, 4),
        0x15 or 0x16 => TryReadBytes(ref properties, out _),
        UserProperty => TryReadBytes(ref properties, out _) && TryReadBytes(ref properties, out _),
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
}
