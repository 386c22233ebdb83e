using Muster.Domain.Devices;

namespace Muster.Domain.Trust;

/// <summary>The refusals of continuous trust; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class TrustErrors
{
    public static FleetError Quarantined(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "DEVICE_QUARANTINED",
        $"Device '{device}' is quarantined: hello, status, inventory and new alarms are taken, and the result of a waiting command.",
        ("device", device.Value));

    public static FleetError Suspected(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "CLONE_SUSPECTED",
        $"The identity of device '{device}' may be used twice: it is restricted until an operator confirms or dismisses that.",
        ("device", device.Value));

    public static FleetError RulesInvalid(string field) => FleetError.Of(
        ErrorKind.Invalid, "TRUST_RULES_INVALID", $"{field} is IGNORE, REPORT or QUARANTINE.", ("field", field));

    public static FleetError NotSuspected(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition, "DEVICE_NOT_SUSPECTED", $"Nothing is suspected of device '{device}'.", ("device", device.Value));
}
