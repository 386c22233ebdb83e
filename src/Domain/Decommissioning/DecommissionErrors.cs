using Muster.Domain.Devices;

namespace Muster.Domain.Decommissioning;

/// <summary>The refusals of decommissioning; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class DecommissionErrors
{
    public static FleetError NotFound(DeviceId device) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no decommission of device '{device}'.", ("device", device.Value));

    /// <summary>The verb is not possible in this state.</summary>
    public static FleetError WrongState(Decommission decommission, string verb)
    {
        ArgumentNullException.ThrowIfNull(decommission);
        return FleetError.Of(
            ErrorKind.Precondition,
            "DECOMMISSION_STATE_INVALID",
            $"The decommission of device '{decommission.Device}' is {decommission.State}; it cannot be {verb}.",
            ("device", decommission.Device.Value),
            ("state", decommission.State.ToString()),
            ("verb", verb));
    }

    public static FleetError ApproverIsRequester(DeviceId device, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_IS_REQUESTER",
        $"'{approver}' requested the decommission of device '{device}'; somebody else has to approve it.",
        ("approver", approver),
        ("device", device.Value));

    public static FleetError ApproverRoleMissing(DeviceId device, string approver) => FleetError.Of(
        ErrorKind.Denied,
        "APPROVER_ROLE_MISSING",
        $"'{approver}' has not the role approver, which approving the decommission of device '{device}' needs.",
        ("approver", approver),
        ("device", device.Value));

    /// <summary>Without a key on record no erasure can ever be proved.</summary>
    public static FleetError NotEnrolled(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "DEVICE_NOT_ENROLLED",
        $"Device '{device}' has never proved its identity: there is nothing to erase and no key to prove it with.",
        ("device", device.Value));

    public static FleetError AlreadyTombstone(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "DEVICE_DECOMMISSIONED",
        $"Device '{device}' is decommissioned.",
        ("device", device.Value));
}
