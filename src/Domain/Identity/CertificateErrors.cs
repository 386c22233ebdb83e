using System.Globalization;

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
}
