using Microsoft.Extensions.ObjectPool;
using MQTTnet.Formatter;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// MQTTnet's formatters of one version, with their buffers (1.6 kB): a connection has one only while it makes or reads a packet,
/// and quiet ones have none. One that threw is not given back: it may hold half a packet of somebody else's.
/// </summary>
internal sealed class PacketFormatters : PooledObjectPolicy<MqttPacketFormatterAdapter>
{
    /// <summary>Most packets to a device are below this; the buffer grows for others and shrinks to the second figure again.</summary>
    private const int WriterBytes = 256;

    private const int WriterBytesMax = 4096;

    private static readonly ObjectPool<MqttPacketFormatterAdapter> s_version310 = PoolOf(MqttProtocolVersion.V310);
    private static readonly ObjectPool<MqttPacketFormatterAdapter> s_version311 = PoolOf(MqttProtocolVersion.V311);
    private static readonly ObjectPool<MqttPacketFormatterAdapter> s_version500 = PoolOf(MqttProtocolVersion.V500);

    private readonly MqttProtocolVersion _version;

    private PacketFormatters(MqttProtocolVersion version) => _version = version;

    /// <summary>Of the version that a peer has said.</summary>
    public static ObjectPool<MqttPacketFormatterAdapter> Of(MqttProtocolVersion version) => version switch
    {
        MqttProtocolVersion.V310 => s_version310,
        MqttProtocolVersion.V311 => s_version311,
        MqttProtocolVersion.V500 => s_version500,
        _ => throw new InvalidOperationException("The peer has not said its version of MQTT."),
    };

    /// <summary>For a first packet, which says the version.</summary>
    public static MqttPacketFormatterAdapter ForTheFirst() => new(new MqttBufferWriter(WriterBytes, WriterBytesMax));

    public override MqttPacketFormatterAdapter Create() => new(_version, new MqttBufferWriter(WriterBytes, WriterBytesMax));

    public override bool Return(MqttPacketFormatterAdapter obj)
    {
        obj.Cleanup();
        return true;
    }

    private static ObjectPool<MqttPacketFormatterAdapter> PoolOf(MqttProtocolVersion version) =>
        new DefaultObjectPool<MqttPacketFormatterAdapter>(new PacketFormatters(version));
}
