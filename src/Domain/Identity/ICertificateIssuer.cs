using Muster.Domain.Devices;

namespace Muster.Domain.Identity;

/// <summary>Whom a certificate of the fleet CA names.</summary>
/// <param name="Tenant">The device's tenant.</param>
/// <param name="Profile">The anchor profile of the maker's certificate.</param>
/// <param name="Device">The device.</param>
public sealed record CertificateSubject(TenantId Tenant, string Profile, DeviceId Device);

/// <summary>A signing request that proved its key.</summary>
/// <param name="Key">Hash of the SubjectPublicKeyInfo.</param>
/// <param name="PublicKey">The SubjectPublicKeyInfo, DER.</param>
public sealed record RequestedCertificate(Sha256Hash Key, ImmutableArray<byte> PublicKey);

/// <summary>What the fleet CA is to sign.</summary>
public sealed record CertificateOrder(
    CertificateSubject Subject,
    ImmutableArray<byte> PublicKey,
    Sha256Hash Key,
    CertificateSerial Serial,
    int Generation,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter);

/// <summary>A certificate of the fleet CA.</summary>
/// <param name="Der">The certificate.</param>
/// <param name="Certificate">Its fingerprint.</param>
public sealed record SignedCertificate(ImmutableArray<byte> Der, Sha256Hash Certificate);

/// <summary>The fleet CA. It signs what the rules ordered and decides nothing.</summary>
public interface ICertificateIssuer
{
    /// <summary>Which of the fleet's CAs signs now; counts from 1.</summary>
    int Generation { get; }

    /// <summary>
    /// Reads a PKCS #10 request (DER): it proves its key, the key is strong, and subject and alternative name are those of the device.
    /// Only where <paramref name="isNameOptional"/> they may be missing.
    /// </summary>
    (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional);

    /// <summary>A serial number that no certificate has.</summary>
    CertificateSerial NewSerial();

    /// <summary>
    /// The same order gives the same bytes: whoever lost the answer gets it again, and none has two of one serial number.
    /// </summary>
    SignedCertificate Sign(CertificateOrder order);
}
