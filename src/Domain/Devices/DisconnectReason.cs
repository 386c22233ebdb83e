namespace Muster.Domain.Devices;

/// <summary>Why a device's receiving session is not there. Unspecified while it is, and when nobody heard of one.</summary>
public enum DisconnectReason
{
    Unspecified = 0,

    /// <summary>The device said so: a DISCONNECT packet (MQTT 5, 3.14).</summary>
    ClosedByDevice = 1,

    /// <summary>The connection broke without a word: power, network, a device that crashed.</summary>
    ConnectionLost = 2,

    /// <summary>Nothing was heard for one and a half keep-alive periods (MQTT 5, 3.1.2.10).</summary>
    KeepAliveTimeout = 3,

    /// <summary>A newer connection of the same client id took its place.</summary>
    TakenOver = 4,

    /// <summary>The device sent what is not MQTT, or what has no place in a session.</summary>
    ProtocolError = 5,

    /// <summary>Muster ended it: for a tombstone or a quarantine, a limit, or a store that is not there.</summary>
    ClosedByServer = 6,

    /// <summary>Its gateway was stopped; the device is expected back on another.</summary>
    GatewayStopped = 7,

    /// <summary>Its gateway was not heard for 90 s; the device may have been connected to it all the time.</summary>
    GatewayLost = 8,
}
