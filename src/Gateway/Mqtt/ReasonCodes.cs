using MQTTnet.Protocol;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Enrollments;

namespace Muster.Gateway.Mqtt;

/// <summary>Refusals as MQTT reason codes (MQTT 5, 2.4) and return codes (MQTT 3.1.1, 3.2.2.3).</summary>
internal static class ReasonCodes
{
    /// <summary>The reason of a session that a newer one replaced.</summary>
    public const string TakenOver = "SESSION_TAKEN_OVER";

    private const string Decommissioned = "DEVICE_DECOMMISSIONED";

    /// <summary>A sentence or two; a reason string has to fit beside its packet.</summary>
    private const int TextLengthMax = 400;

    public static MqttConnectReasonCode OfConnect(FleetError error) => error switch
    {
        { Reason: Decommissioned } => MqttConnectReasonCode.Banned,
        { Reason: "CLIENT_ID_NOT_ALLOWED" } => MqttConnectReasonCode.ClientIdentifierNotValid,
        { Kind: ErrorKind.Unavailable } => MqttConnectReasonCode.ServerUnavailable,
        { Kind: ErrorKind.Exhausted } => MqttConnectReasonCode.QuotaExceeded,
        _ => MqttConnectReasonCode.NotAuthorized,
    };

    public static MqttConnectReturnCode ToReturnCode(MqttConnectReasonCode code) => code switch
    {
        MqttConnectReasonCode.Success => MqttConnectReturnCode.ConnectionAccepted,
        MqttConnectReasonCode.UnsupportedProtocolVersion => MqttConnectReturnCode.ConnectionRefusedUnacceptableProtocolVersion,
        MqttConnectReasonCode.ClientIdentifierNotValid => MqttConnectReturnCode.ConnectionRefusedIdentifierRejected,
        MqttConnectReasonCode.ServerUnavailable or MqttConnectReasonCode.ServerBusy or MqttConnectReasonCode.QuotaExceeded =>
            MqttConnectReturnCode.ConnectionRefusedServerUnavailable,
        _ => MqttConnectReturnCode.ConnectionRefusedNotAuthorized,
    };

    public static MqttPubAckReasonCode OfPublish(FleetError error) => error switch
    {
        { Reason: "PAYLOAD_INVALID" } => MqttPubAckReasonCode.PayloadFormatInvalid,
        { Kind: ErrorKind.Denied } => MqttPubAckReasonCode.NotAuthorized,
        _ => MqttPubAckReasonCode.ImplementationSpecificError,
    };

    /// <summary>What presence tells of a session that was ended with this code.</summary>
    public static DisconnectReason OfDisconnect(MqttDisconnectReasonCode code) => code switch
    {
        MqttDisconnectReasonCode.KeepAliveTimeout => DisconnectReason.KeepAliveTimeout,
        MqttDisconnectReasonCode.SessionTakenOver => DisconnectReason.TakenOver,
        MqttDisconnectReasonCode.ServerShuttingDown => DisconnectReason.GatewayStopped,
        MqttDisconnectReasonCode.MalformedPacket or MqttDisconnectReasonCode.ProtocolError or MqttDisconnectReasonCode.PacketTooLarge
            or MqttDisconnectReasonCode.ReceiveMaximumExceeded or MqttDisconnectReasonCode.TopicAliasInvalid
            or MqttDisconnectReasonCode.QoSNotSupported
            or MqttDisconnectReasonCode.SubscriptionIdentifiersNotSupported => DisconnectReason.ProtocolError,
        _ => DisconnectReason.ClosedByServer,
    };

    /// <summary>
    /// Name and words of a refusal, for reason strings and logs: one line, because parts of it (a certificate's subject) are the
    /// peer's own.
    /// </summary>
    public static string TextOf(FleetError error) => ShownText.OneLine($"{error.Reason}: {error.Message}", TextLengthMax);

    /// <summary>True for a refusal that may pass later: no PUBACK, the connection is closed.</summary>
    public static bool IsNotNow(FleetError error) => error.Kind is ErrorKind.Unavailable or ErrorKind.Exhausted;

    /// <summary>
    /// True for what a tombstone is told, and a device that nobody expects: nothing that it says will be taken, ever or before an operator
    /// has decided, and a connection that waits is a place taken from others.
    /// </summary>
    public static bool EndsTheSession(FleetError error) =>
        error.Reason is Decommissioned or EnrollmentRequestErrors.WaitsReason or EnrollmentRequestErrors.DeniedReason;

    public static MqttDisconnectReasonCode OfNotNow(FleetError error) => error switch
    {
        { Reason: TakenOver } => MqttDisconnectReasonCode.SessionTakenOver,
        { Kind: ErrorKind.Exhausted } => MqttDisconnectReasonCode.QuotaExceeded,
        _ => MqttDisconnectReasonCode.ServerBusy,
    };
}
