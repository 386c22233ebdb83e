using System.Buffers;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Muster.Gateway.Mqtt;

/// <summary>A CONNECT, and its answer if its own bytes decide it.</summary>
internal readonly record struct ConnectFrame(MqttConnectPacket Packet, Admission? Refusal)
{
    /// <summary>Protocol name and version, flags, keep-alive: the same in both versions.</summary>
    private const int StartBytes = 10;

    /// <summary>
    /// Null when it is no CONNECT. The codec throws at one kind that has to be answered, and says nothing of values that must not be: they
    /// would look like none.
    /// </summary>
    /// <param name="decoded">What the codec made of it; null when it threw.</param>
    public static ConnectFrame? Of(in Frame frame, MqttConnectPacket? decoded, bool isVersion5)
    {
        if (decoded is null)
        {
            return IsNamelessSession(frame)
                ? new ConnectFrame(
                    new MqttConnectPacket { ClientId = string.Empty },
                    Admission.Refused(MqttConnectReasonCode.ClientIdentifierNotValid, "A session that is to be kept needs a client id."))
                : null;
        }

        return new ConnectFrame(
            decoded,
            isVersion5 && HasForbiddenProperty(frame)
                ? Admission.Refused(MqttConnectReasonCode.ProtocolError, "A property is there twice, or 0 where it may not.")
                : null);
    }

    /// <summary>MQTT 3.1.1 without client id and without Clean Session: return code 2 (3.1.3-8).</summary>
    private static bool IsNamelessSession(in Frame frame)
    {
        Span<byte> start = stackalloc byte[StartBytes + 2];
        if (frame.Body.Length < start.Length)
        {
            return false;
        }

        frame.Body.Slice(0, start.Length).CopyTo(start);
        return start.StartsWith("\0\u0004MQTT\u0004"u8) && (start[7] & 2) == 0 && start[StartBytes..].SequenceEqual("\0\0"u8);
    }

    /// <summary>MQTT 5, 3.1.2.11: nothing but a user property twice, and neither Receive Maximum nor Maximum Packet Size 0.</summary>
    private static bool HasForbiddenProperty(in Frame frame)
    {
        var packet = new SequenceReader<byte>(frame.Body);
        if (packet.Remaining < StartBytes)
        {
            return true;
        }

        packet.Advance(StartBytes);
        if (!MqttProperties.TryTake(ref packet, out var properties))
        {
            return true;
        }

        var reader = new SequenceReader<byte>(properties);
        ulong seen = 0;
        while (reader.TryRead(out var id))
        {
            var start = reader.UnreadSequence;
            if (!MqttProperties.TrySkipConnect(ref reader, id)
                || (id != MqttProperties.UserProperty && (seen & (1UL << id)) != 0)
                || (id is MqttProperties.ReceiveMaximum or MqttProperties.MaximumPacketSize && IsZero(start, reader.Position)))
            {
                return true;
            }

            seen |= 1UL << id;
        }

        return false;
    }

    private static bool IsZero(in ReadOnlySequence<byte> from, SequencePosition to)
    {
        var reader = new SequenceReader<byte>(from.Slice(from.Start, to));
        reader.AdvancePast((byte)0);
        return reader.End;
    }
}
