using System.Buffers.Binary;
using System.Text;

namespace Muster.Load.Generator;

/// <summary>The few MQTT 5 packets that a device of the generator sends besides its messages.</summary>
internal static class Packets
{
    public const byte ConnAck = 0x20;
    public const byte PubAck = 0x40;
    public const byte Publish = 0x30;
    public const byte Disconnect = 0xE0;

    /// <summary>Longer than any run: the generator sends no pings.</summary>
    private const ushort KeepAliveSeconds = 600;

    public static byte[] Connect(string clientId)
    {
        var id = Encoding.UTF8.GetBytes(clientId);
        List<byte> body = [0, 4, .. "MQTT"u8, 5, 2, KeepAliveSeconds >> 8, KeepAliveSeconds & 0xFF, 0, 0, (byte)id.Length, .. id];
        List<byte> packet = [0x10];
        AddLength(packet, body.Count);
        packet.AddRange(body);
        return [.. packet];
    }

    public static void AddLength(List<byte> packet, int length)
    {
        do
        {
            packet.Add((byte)((length & 0x7F) | (length > 0x7F ? 0x80 : 0)));
            length >>= 7;
        }
        while (length > 0);
    }

    /// <summary>Cuts the first packet off; false when it is not whole yet.</summary>
    public static bool TryCut(ref ReadOnlySpan<byte> buffer, out byte header, out ReadOnlySpan<byte> body)
    {
        header = 0;
        body = default;
        var length = 0;
        for (var i = 1; i < buffer.Length && i <= 4; i++)
        {
            length |= (buffer[i] & 0x7F) << (7 * (i - 1));
            if ((buffer[i] & 0x80) != 0)
            {
                continue;
            }

            if (buffer.Length < i + 1 + length)
            {
                return false;
            }

            header = buffer[0];
            body = buffer.Slice(i + 1, length);
            buffer = buffer[(i + 1 + length)..];
            return true;
        }

        return false;
    }

    /// <summary>The packet identifier of a PUBLISH; 0 for QoS 0.</summary>
    public static ushort PacketIdOf(byte header, ReadOnlySpan<byte> publish)
    {
        var topic = BinaryPrimitives.ReadUInt16BigEndian(publish);
        return (header & 0x06) == 0 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(publish[(2 + topic)..]);
    }
}
