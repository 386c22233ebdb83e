using Muster.Domain.Devices;

namespace Muster.Domain.Serials;

/// <summary>
/// The refusals of serials; their reasons are names of <c>muster.v1.ErrorReason</c>. None names another tenant but to an administrator of
/// the installation.
/// </summary>
public static class SerialErrors
{
    public static FleetError NotFound(DeviceId device) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"No tenant has claimed the serial '{device}'.", ("serial", device.Value));

    /// <summary>Not for ever: a human decides.</summary>
    public static FleetError Disputed(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "SERIAL_DISPUTED",
        $"Another tenant of this installation expects the serial '{device}' too; an administrator of the installation decides whose it is.",
        ("serial", device.Value));

    public static FleetError OfAnotherTenant(DeviceId device) => FleetError.Of(
        ErrorKind.Denied,
        "SERIAL_OF_ANOTHER_TENANT",
        $"The serial '{device}' is another tenant's of this installation.",
        ("serial", device.Value));

    public static FleetError OfAnotherProfile(SerialId serial, string profile) => FleetError.Of(
        ErrorKind.Denied,
        "SERIAL_OF_ANOTHER_PROFILE",
        $"The profile '{serial.Profile}' alone speaks for the serial '{serial.Device}'; the certificate is of '{profile}'.",
        ("serial", serial.Device.Value),
        ("speaker", serial.Profile),
        ("profile", profile));

    public static FleetError NotAssignable(SerialId serial, TenantId tenant, string cause) => FleetError.Of(
        ErrorKind.Precondition,
        "SERIAL_NOT_ASSIGNABLE",
        $"The serial '{serial.Device}' cannot be assigned to the tenant '{tenant}': {cause}.",
        ("serial", serial.Device.Value),
        ("tenant", tenant.Value),
        ("cause", cause));
}
