using MQTTnet.Protocol;

namespace Muster.Gateway.Mqtt;

internal sealed partial class DeviceConnectionHandler
{
    [LoggerMessage(Level = LogLevel.Information, Message = "MQTT connection from {Remote} as '{ClientId}' refused with {Code}: {Reason}")]
    private static partial void LogRefused(ILogger logger, string remote, string clientId, MqttConnectReasonCode code, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connection from {Remote} closed: its first packet is no CONNECT")]
    private static partial void LogNotMqtt(ILogger logger, string remote);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Connection from {Remote} broke")]
    private static partial void LogBroken(ILogger logger, Exception exception, string remote);
}
