using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Identity;

/// <summary>The refusals of certificates that devices present; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class CertificateErrors
{
    public static FleetError Missing() => FleetError.Of(
        ErrorKind.Denied, "CERTIFICATE_MISSING", "A device proves itself with a TLS client certificate; none was presented.");

    public static FleetError Untrusted(string subject) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_UNTRUSTED",
        $"The certificate of '{subject}' does not chain to a trusted device-identity root.",
        ("subject", subject));

    public static FleetError UnknownIssuer(string subject, string issuer) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_UNTRUSTED",
        $"The certificate of '{subject}' is under '{issuer}', which is no trusted intermediate by name and key. "
        + "If the vendor has published it, add it to the trusted device certificates.",
        ("subject", subject),
        ("issuer", issuer));

    public static FleetError TooLarge(int bytes, int bytesMax) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_NOT_A_DEVICE_IDENTITY",
        $"The certificate has {bytes} bytes; a device identity has at most {bytesMax}.",
        ("bytes", bytes.ToString(CultureInfo.InvariantCulture)));

    public static FleetError Expired(string subject) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_EXPIRED",
        $"The certificate of '{subject}', or one above it, is not valid now.",
        ("subject", subject));

    public static FleetError NotADeviceIdentity(string subject, string cause) => FleetError.Of(
        ErrorKind.Denied,
        "CERTIFICATE_NOT_A_DEVICE_IDENTITY",
        $"The certificate of '{subject}' is no device identity: {cause}.",
        ("subject", subject),
        ("cause", cause));

    public static FleetError SigningRequestInvalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "SIGNING_REQUEST_INVALID", $"The signing request cannot be signed: {cause}.", ("cause", cause));

    /// <summary>The request names somebody else, or nobody where it has to name the device.</summary>
    public static FleetError SigningRequestOfAnother(DeviceId device, string field) => FleetError.Of(
        ErrorKind.Denied,
        "SIGNING_REQUEST_OF_ANOTHER",
        $"The signing request's {field} is not the one that certificates of device '{device}' have.",
        ("device", device.Value),
        ("field", field));

    public static FleetError HelloTooOld(DeviceId device) => FleetError.Of(
        ErrorKind.Precondition,
        "HELLO_TOO_OLD",
        $"Device '{device}' has not said hello with the certificate of its maker within the last "
        + $"{CertificateTerms.HelloMinutesMax} minutes.",
        ("device", device.Value),
        ("minutes", $"{CertificateTerms.HelloMinutesMax}"));

    public const string EnrollmentWaitsReason = "ENROLLMENT_WAITS";

    /// <summary>Not for ever: an operator decides.</summary>
    public static FleetError EnrollmentWaits(DeviceId device) => FleetError.Of(
        ErrorKind.Unavailable,
        EnrollmentWaitsReason,
        $"The enrolment of device '{device}' waits for an operator's approval.",
        ("device", device.Value));

    /// <summary>The first certificate is asked for with the maker's, a renewal with the one that is renewed.</summary>
    public static FleetError WrongCertificate(DeviceId device, string required) => FleetError.Of(
        ErrorKind.Precondition,
        "CERTIFICATE_WRONG_FOR_CALL",
        $"Device '{device}' has to make this call with {required}.",
        ("device", device.Value),
        ("required", required));

    public static FleetError OverlapUnderWay(DeviceId device, DateTimeOffset until) => FleetError.Of(
        ErrorKind.Precondition,
        "CERTIFICATE_OVERLAP",
        $"Device '{device}' has two keys until {until:yyyy-MM-ddTHH:mm:ssZ}; a third one has to wait.",
        ("device", device.Value),
        ("until", $"{until:yyyy-MM-ddTHH:mm:ssZ}"));

    public static FleetError RenewalEarly(DeviceId device, DateTimeOffset from) => FleetError.Of(
        ErrorKind.Precondition,
        "CERTIFICATE_RENEWAL_EARLY",
        $"The certificate of device '{device}' is renewed with a new key from {from:yyyy-MM-ddTHH:mm:ssZ} on.",
        ("device", device.Value),
        ("from", $"{from:yyyy-MM-ddTHH:mm:ssZ}"));

    public static FleetError IssuanceRateReached(DeviceId device, int limit) => FleetError.Of(
        ErrorKind.Exhausted,
        "ISSUANCE_RATE_REACHED",
        $"Device '{device}' asked for a certificate more than {limit} times within a minute.",
        ("device", device.Value),
        ("limit", $"{limit}"));

    public static FleetError RenewalRateReached(string site, int limit) => FleetError.Of(
        ErrorKind.Exhausted,
        "RENEWAL_RATE_REACHED",
        $"More than {limit} devices of site '{site}' asked within a minute for a certificate in place of one that ended.",
        ("site", site),
        ("limit", $"{limit}"));

    public static FleetError FleetAuthorityMissing() => FleetError.Of(
        ErrorKind.Unavailable, "FLEET_CA_MISSING", "This installation has no fleet CA.");

    /// <summary>The key is in a module that is gone, slow or shut; what to do about it is in the silo's log.</summary>
    public static FleetError FleetKeyUnreachable(int generation) => FleetError.Of(
        ErrorKind.Unavailable,
        "FLEET_CA_KEY_UNREACHABLE",
        $"The key of fleet CA {generation} cannot sign now.",
        ("generation", $"{generation}"));
}
