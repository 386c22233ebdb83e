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
    DateTimeOffset NotAfter)
{
    /// <summary>
    /// The CA's signature (base64), when it was signed before and the CA would draw another one now; null when it is to be signed.
    /// </summary>
    public string? Signature { get; init; }
}

/// <summary>A certificate of the fleet CA.</summary>
/// <param name="Der">The certificate.</param>
/// <param name="Certificate">Its fingerprint.</param>
public sealed record SignedCertificate(ImmutableArray<byte> Der, Sha256Hash Certificate)
{
    /// <summary>
    /// The CA's signature (base64), to be kept with the record; null when the CA draws the same one for the same content.
    /// </summary>
    public string? Signature { get; init; }
}

/// <summary>One of the fleet's CAs.</summary>
/// <param name="Generation">Counts from 1.</param>
/// <param name="NotAfter">Its end, and the latest of what it signs.</param>
public readonly record struct IssuingAuthority(int Generation, DateTimeOffset NotAfter);

/// <summary>The fleet CA without its signature, which may have to be waited for. It decides nothing.</summary>
public interface ICertificateIssuer
{
    /// <summary>Which of the fleet's CAs signs at an instant: the newest that has begun; null when none has, or it has ended.</summary>
    IssuingAuthority? At(DateTimeOffset now);

    /// <summary>
    /// Reads a PKCS #10 request (DER): it proves its key, the key is strong, and subject and alternative name are those of the device.
    /// Only where <paramref name="isNameOptional"/> they may be missing.
    /// </summary>
    (RequestedCertificate? Request, FleetError? Error) Read(
        ReadOnlySpan<byte> request, CertificateSubject subject, bool isNameOptional);

    /// <summary>A serial number that no certificate has, and that says itself which of the fleet's CAs chose it.</summary>
    CertificateSerial NewSerial(int generation);
}
