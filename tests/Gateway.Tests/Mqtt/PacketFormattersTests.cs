using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>Connections share formatters: what one wrote is nowhere in what the next one writes.</summary>
public sealed class PacketFormattersTests
{
    [Theory]
    [InlineData(MqttProtocolVersion.V310)]
    [InlineData(MqttProtocolVersion.V311)]
    [InlineData(MqttProtocolVersion.V500)]
    public void Return_AfterALongPacket_LeavesNothingForTheNext(MqttProtocolVersion version)
    {
        var formatters = PacketFormatters.Of(version);
        var expected = Encode(formatters.Get(), Answer(topics: 1));
        var used = formatters.Get();
        Encode(used, Answer(topics: 9_000));
        formatters.Return(used);

        var next = formatters.Get();

        Assert.Equal(expected, Encode(next, Answer(topics: 1)));
    }

    [Fact]
    public void Of_AVersionThatNobodyHasSaid_Throws() =>
        Assert.Throws<InvalidOperationException>(() => PacketFormatters.Of(MqttProtocolVersion.Unknown));

    private static MqttSubAckPacket Answer(int topics) => new()
    {
        PacketIdentifier = 7,
        ReasonCodes = [.. Enumerable.Repeat(MqttSubscribeReasonCode.GrantedQoS1, topics)],
        ReasonString = topics > 1 ? new string('x', topics) : null,
    };

    private static byte[] Encode(MqttPacketFormatterAdapter formatter, MqttPacket packet) => [.. formatter.Encode(packet).Packet];
}
