using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Protocol;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// Answers to SUBSCRIBE. What a device receives follows from its identity, so a subscription changes nothing; it is granted
/// for the device's own down topics, because standard clients insist on one.
/// </summary>
internal static class Subscriptions
{
    public static MqttSubAckPacket Answer(MqttSession session, MqttSubscribePacket subscribe)
    {
        var codes = new List<MqttSubscribeReasonCode>(subscribe.TopicFilters.Count);
        foreach (var filter in subscribe.TopicFilters)
        {
            codes.Add(Decide(session, filter));
        }

        return new MqttSubAckPacket { PacketIdentifier = subscribe.PacketIdentifier, ReasonCodes = codes };
    }

    public static MqttUnsubAckPacket Answer(MqttUnsubscribePacket unsubscribe) => new()
    {
        PacketIdentifier = unsubscribe.PacketIdentifier,
        ReasonCodes = [.. unsubscribe.TopicFilters.Select(_ => MqttUnsubscribeReasonCode.Success)],
    };

    private static MqttSubscribeReasonCode Decide(MqttSession session, MqttTopicFilter filter)
    {
        if (filter.Topic.StartsWith("$share/", StringComparison.Ordinal))
        {
            return MqttSubscribeReasonCode.SharedSubscriptionsNotSupported;
        }

        if (!session.Receives || !IsOwn(filter.Topic, Topics.Down(session.Address.Device.Value, string.Empty)))
        {
            return MqttSubscribeReasonCode.NotAuthorized;
        }

        return filter.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtMostOnce
            ? MqttSubscribeReasonCode.GrantedQoS0
            : MqttSubscribeReasonCode.GrantedQoS1;
    }

    private static bool IsOwn(string filter, string prefix) =>
        filter.StartsWith(prefix, StringComparison.Ordinal)
        && filter[prefix.Length..] is "#" or "+" or Topics.Desired or Topics.Ack or Topics.Command or Topics.Rejection;
}
