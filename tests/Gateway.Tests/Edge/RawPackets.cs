using System.Buffers.Binary;
using System.Text;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Packets of MQTT 5 byte by byte, also those that no library writes.</summary>
internal static class RawPackets
{
    public static readonly byte[] PingReq = [0xC0, 0];

    /// <summary>A CONNECT with Clean Start.</summary>
    /// <param name="clientId">May be empty.</param>
    /// <param name="properties">Without their length.</param>
    /// <param name="keepAlive">Seconds.</param>
    public static byte[] Connect(string clientId, byte[] properties, ushort keepAlive = 60) => Packet(
        0x10, [0, 4, .. "MQTT"u8, 5, 2, .. Number(keepAlive), (byte)properties.Length, .. properties, .. Text(clientId)]);

    /// <summary>A PUBLISH with QoS 1.</summary>
    public static byte[] Publish(string topic, ushort packetId, string payload, params byte[] properties) => Packet(
        0x32, [.. Text(topic), .. Number(packetId), (byte)properties.Length, .. properties, .. Encoding.UTF8.GetBytes(payload)]);

    public static byte[] TopicAlias(ushort alias) => [0x23, .. Number(alias)];

    public static byte[] UserProperty(string name, string value) => [0x26, .. Text(name), .. Text(value)];

    public static byte[] PubAck(ushort packetId) => Packet(0x40, Number(packetId));

    /// <summary>A DISCONNECT with a Session Expiry Interval.</summary>
    public static byte[] Disconnect(uint sessionExpiry)
    {
        var seconds = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(seconds, sessionExpiry);
        return Packet(0xE0, [0, 5, 0x11, .. seconds]);
    }

    private static byte[] Packet(byte header, byte[] body) => body.Length < 128
        ? [header, (byte)body.Length, .. body]
        : [header, (byte)((body.Length & 127) | 128), (byte)(body.Length >> 7), .. body];

    private static byte[] Text(string text) => [.. Number((ushort)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Number(ushort number) => [(byte)(number >> 8), (byte)number];
}
