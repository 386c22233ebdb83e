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
