using Muster.Domain.Devices;

namespace Muster.Gateway.Axis;

/// <summary>One of AXIS OS' events that says something of the device's own health.</summary>
/// <param name="Kind">The alarm that it raises.</param>
/// <param name="State">The name of its state in the message's data; null for the first one, whatever its name.</param>
/// <param name="RaisedBy">The state that means trouble.</param>
/// <param name="Prefix">Put before the source, where two events of one kind speak of the same part.</param>
/// <param name="IsMomentary">True for an event without an end.</param>
internal sealed record AxisEvent(AlarmKind Kind, string? State, bool RaisedBy = true, string Prefix = "", bool IsMomentary = false)
{
    private static readonly AxisEvent Ready = new(AlarmKind.SystemNotReady, "ready", RaisedBy: false);
    private static readonly AxisEvent OutOfRange = new(AlarmKind.TemperatureOutOfRange, "sensor_level");
    private static readonly AxisEvent Above = OutOfRange with { Prefix = "above" };
    private static readonly AxisEvent Below = OutOfRange with { Prefix = "below" };
    private static readonly AxisEvent Critical = new(AlarmKind.TemperatureOutOfRange, "temperature_critical", Prefix: "critical ");
    private static readonly AxisEvent Fan = new(AlarmKind.FanFailure, "fan_failure");
    private static readonly AxisEvent Power = new(AlarmKind.PowerSupplyFailure, "power_critical");
    private static readonly AxisEvent Storage = new(AlarmKind.StorageFailure, "disruption");
    private static readonly AxisEvent StorageAlert = new(AlarmKind.StorageFailure, "alert", Prefix: "alert ");
    private static readonly AxisEvent Casing = new(AlarmKind.CasingOpen, "Open");
    private static readonly AxisEvent Network = new(AlarmKind.NetworkLost, "lost");
    private static readonly AxisEvent Tampering = new(AlarmKind.Tampering, "tampering", IsMomentary: true);
    private static readonly AxisEvent Certificate = new(AlarmKind.CertificateExpiry, null);

    /// <summary>By its path without name spaces, for example <c>Device/HardwareFailure/FanFailure</c>; null for all others.</summary>
    public static AxisEvent? Find(ReadOnlySpan<byte> path) => path switch
    {
        _ when path.SequenceEqual("Device/Status/SystemReady"u8) => Ready,
        _ when path.SequenceEqual("Device/Status/Temperature/Above_or_below"u8) => OutOfRange,
        _ when path.SequenceEqual("Device/Status/Temperature/Above"u8) => Above,
        _ when path.SequenceEqual("Device/Status/Temperature/Below"u8) => Below,
        _ when path.SequenceEqual("Device/HardwareFailure/TemperatureCritical"u8) => Critical,
        _ when path.SequenceEqual("Device/HardwareFailure/FanFailure"u8) => Fan,
        _ when path.SequenceEqual("Device/HardwareFailure/PowerSupplyFailure"u8) => Power,
        _ when path.SequenceEqual("Device/HardwareFailure/StorageFailure"u8) => Storage,
        _ when path.SequenceEqual("Storage/Disruption"u8) => Storage,
        _ when path.SequenceEqual("Storage/Alert"u8) => StorageAlert,
        _ when path.SequenceEqual("Device/Casing/Open"u8) => Casing,
        _ when path.SequenceEqual("Device/Network/Lost"u8) => Network,
        _ when path.SequenceEqual("VideoSource/Tampering"u8) => Tampering,

        // The names of these differ between versions of AXIS OS, and none is published.
        _ when path.StartsWith("Device/Certificate"u8) => Certificate,
        _ => null,
    };
}
