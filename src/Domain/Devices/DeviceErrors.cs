using System.Globalization;

namespace Muster.Domain.Devices;

/// <summary>The refusals of devices; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class DeviceErrors
{
    /// <summary>Whoever owns the key is told of it.</summary>
    public const string KeyClaimedReason = "KEY_CLAIMED_BY_ANOTHER";

    public static FleetError NotFound(DeviceId device) => FleetError.Of(
        ErrorKind.NotFound, "NOT_FOUND", $"There is no device '{device}'.", ("device", device.Value));

    public static FleetError Exists(DeviceId device) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is a device '{device}'.", ("device", device.Value));

    public static FleetError FieldInvalid(string field, string rule) => FleetError.Of(
        ErrorKind.Invalid, "REQUEST_INVALID", $"The device's {field} is not allowed: {rule}.", ("field", field), ("rule", rule));

    public static FleetError NotExpected(DeviceId device) => FleetError.Of(
        ErrorKind.Denied, "DEVICE_NOT_EXPECTED", $"No delivery list expects device '{device}'.", ("device", device.Value));

    public static FleetError IdentityMismatch(DeviceId device) => FleetError.Of(
        ErrorKind.Denied,
        "IDENTITY_MISMATCH",
        $"The certificate is not the one on record for device '{device}'.",
        ("device", device.Value));

    public static FleetError IdentityNotProven(DeviceId device) => FleetError.Of(
        ErrorKind.Denied,
        "IDENTITY_NOT_PROVEN",
        $"A broker vouches for device '{device}', which has not proved its key yet: it enrols at the devices' own listener first.",
        ("device", device.Value));

    public static FleetError SerialMismatch(DeviceId device, string claimed) => FleetError.Of(
        ErrorKind.Denied,
        "SERIAL_MISMATCH",
        $"The message claims the serial '{claimed}', the certificate is of '{device}'.",
        ("device", device.Value),
        ("claimed", claimed));

    public static FleetError AlarmLimitReached(DeviceId device, int limit) => FleetError.Of(
        ErrorKind.Precondition,
        "ALARM_LIMIT_REACHED",
        $"Device '{device}' has {limit} alarms already.",
        ("device", device.Value),
        ("limit", limit.ToString(CultureInfo.InvariantCulture)));

    public static FleetError CertificateChanged(DeviceId device, string certificateSha256) => FleetError.Of(
        ErrorKind.Precondition,
        "ENROLLMENT_CERTIFICATE_CHANGED",
        $"Device '{device}' shows the certificate {certificateSha256} now, which is not the one that was approved. Look at it again.",
        ("device", device.Value),
        ("certificate_sha256", certificateSha256));

    public static FleetError KeyClaimedByAnother(DeviceId device) => FleetError.Of(
        ErrorKind.Denied,
        KeyClaimedReason,
        $"The public key that device '{device}' presents belongs to another identity.",
        ("device", device.Value));

    /// <summary>A certificate is no secret: who installs the device compares the two.</summary>
    public static FleetError CertificateNotExpected(DeviceId device, string certificate, string expected) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_NOT_EXPECTED",
        $"Device '{device}' has the certificate '{certificate}'; its delivery names '{expected}'.",
        ("device", device.Value),
        ("certificate", certificate),
        ("expected", expected));

    public static FleetError ModelMismatch(DeviceId device, string model, string expected) => FleetError.Of(
        ErrorKind.Precondition,
        "MODEL_MISMATCH",
        $"Device '{device}' is a '{model}'; '{expected}' is expected.",
        ("device", device.Value),
        ("model", model),
        ("expected", expected));

    public static FleetError NotFactoryDefault(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "NOT_FACTORY_DEFAULT",
        $"Device '{device}' is not in its factory-default state, which enrolment needs.",
        ("device", device.Value));

    public static FleetError SecureBootMissing(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "SECURE_BOOT_MISSING",
        $"Device '{device}' does not report secure boot, which enrolment needs.",
        ("device", device.Value));

    public static FleetError OsBelowFloor(DeviceId device, string version, string floor) => FleetError.Of(
        ErrorKind.Precondition,
        "OS_BELOW_FLOOR",
        $"Device '{device}' runs '{version}', which is not at or above '{floor}'.",
        ("device", device.Value),
        ("version", version),
        ("floor", floor));

    public static FleetError Tombstone(DeviceId device) => FleetError.Of(
        ErrorKind.Denied, "DEVICE_DECOMMISSIONED", $"Device '{device}' is decommissioned.", ("device", device.Value));

    internal const string NotEnrolledReason = "DEVICE_NOT_ENROLLED";

    public static FleetError NotEnrolled(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition, NotEnrolledReason, $"Device '{device}' has to be enrolled first.", ("device", device.Value));

    public static FleetError NotInService(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return WrongState("DEVICE_NOT_IN_SERVICE", device, DeviceState.InService);
    }

    public static FleetError StateInvalid(Device device, DeviceState required)
    {
        ArgumentNullException.ThrowIfNull(device);
        return WrongState("DEVICE_STATE_INVALID", device, required);
    }

    public static FleetError GenerationUnknown(DeviceId device, long generation) => FleetError.Of(
        ErrorKind.Invalid,
        "GENERATION_UNKNOWN",
        string.Create(CultureInfo.InvariantCulture, $"Generation {generation} was never issued to device '{device}'."),
        ("device", device.Value),
        ("generation", generation.ToString(CultureInfo.InvariantCulture)));

    public static FleetError NonceUnknown(DeviceId device, string nonce) => FleetError.Of(
        ErrorKind.Invalid,
        "NONCE_UNKNOWN",
        $"No command with the nonce '{nonce}' waits for an answer of device '{device}'.",
        ("device", device.Value),
        ("nonce", nonce));

    /// <summary>Erasing ends with a boot: who is still in the one that the command found has not done it.</summary>
    public static FleetError NotRebooted(DeviceId device, string nonce) => FleetError.Of(
        ErrorKind.Precondition,
        "ERASURE_WITHOUT_BOOT",
        $"Device '{device}' says that it erased itself in the boot in which it got the command '{nonce}'; erase, boot, and answer then.",
        ("device", device.Value),
        ("nonce", nonce));

    /// <summary>The session is closed so that the device says again who and what it is.</summary>
    public static FleetError SayHelloAgain(DeviceId device) => FleetError.Of(
        ErrorKind.Unavailable, "SAY_HELLO_AGAIN", $"Device '{device}' is asked to say hello again.", ("device", device.Value));

    /// <summary>Not for ever: the newer session may say it.</summary>
    public static FleetError SessionTakenOver(DeviceId device) => FleetError.Of(
        ErrorKind.Unavailable,
        "SESSION_TAKEN_OVER",
        $"A newer session of device '{device}' took over.",
        ("device", device.Value));

    public static FleetError DownloadNotAllowed(DeviceId device, string digest) => FleetError.Of(
        ErrorKind.Denied,
        "DOWNLOAD_NOT_ALLOWED",
        $"The desired state of device '{device}' does not name '{digest}'.",
        ("device", device.Value),
        ("digest", digest));

    private static FleetError WrongState(string reason, Device device, DeviceState required) => FleetError.Of(
        ErrorKind.Precondition,
        reason,
        $"Device '{device.Id}' is {device.State}; {required} is required.",
        ("device", device.Id.Value),
        ("state", device.State.ToString()),
        ("required", required.ToString()));
}
