namespace Muster.Domain.Identity;

/// <summary>What a certificate of the fleet CA was issued on.</summary>
public enum CertificateGround
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>A fresh hello of a device in service, with its maker's certificate.</summary>
    Hello = 1,

    /// <summary>The certificate that it renews.</summary>
    Renewal = 2,

    /// <summary>The maker's certificate alone: the one before had ended.</summary>
    Lapse = 3,
}

/// <summary>The fleet CA issued a certificate to the device.</summary>
[GenerateSerializer, Immutable, Alias("muster.certificate-issued")]
public sealed record CertificateIssued(
    [property: Id(0)] CertificateSerial Serial,
    [property: Id(1)] int Generation,
    [property: Id(2)] Sha256Hash Certificate,
    [property: Id(3)] Sha256Hash Key,
    [property: Id(4)] DateTimeOffset NotAfter,
    [property: Id(5)] CertificateGround Ground) : DomainEvent;

/// <summary>A certificate of the fleet CA must not be accepted any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.certificate-revoked")]
public sealed record CertificateRevoked(
    [property: Id(0)] CertificateSerial Serial,
    [property: Id(1)] int Generation,
    [property: Id(2)] RevocationCause Cause) : DomainEvent;
