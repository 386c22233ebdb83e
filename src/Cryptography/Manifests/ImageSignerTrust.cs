using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Cryptography.Manifests;

/// <summary>
/// Judges who signed: under a trusted root, for code, and valid at the instant that counts. That is the timestamp's where one is in
/// the signature and authorities for timestamps are trusted, and now everywhere else.
/// </summary>
internal sealed class ImageSignerTrust(TrustStore roots, TrustStore authorities)
{
    private static readonly Oid CodeSigning = new(CertificateFacts.CodeSigning);

    public (FleetError? Error, ImageTimestamp? Timestamp) Judge(CmsSignature cms, DateTimeOffset now)
    {
        if (authorities.RootCount == 0 || cms.Timestamps.IsEmpty)
        {
            return (FaultOf(cms, now, null), null);
        }

        // One that does not verify is refused even while the certificate is valid: somebody has tampered, or the clock is wrong.
        var (timestamp, fault) = TimestampToken.Verify(cms, authorities, now);
        return timestamp is null ? (fault, null) : (FaultOf(cms, timestamp.At, timestamp), timestamp);
    }

    private FleetError? FaultOf(CmsSignature cms, DateTimeOffset at, ImageTimestamp? timestamp)
    {
        var certificate = cms.Certificate;
        var chain = roots.Follow(certificate, cms.Others, at, CodeSigning);
        switch (chain.State)
        {
            case ChainState.Untrusted:
                return ImageErrors.CertificateUntrusted(certificate.Subject);
            case ChainState.Expired:
                return timestamp is null
                    ? ImageErrors.CertificateExpired(certificate.Subject)
                    : ImageErrors.CertificateExpiredAt(certificate.Subject, timestamp.At);
            case ChainState.WrongUsage:
                return ImageErrors.CertificateUsage(certificate.Subject, "code signing is not among its usages, or those above it");
            case ChainState.Trusted:
                break;
            default:
                throw new UnreachableException($"Unknown chain state {chain.State}.");
        }

        // The chain takes an absent extension for "everything"; an image's signer has to say that it signs code.
        if (!CertificateFacts.AllowsUsage(certificate, CertificateFacts.CodeSigning, isRequired: true))
        {
            return ImageErrors.CertificateUsage(certificate.Subject, "its extended key usage does not contain code signing");
        }

        if (!CertificateFacts.AllowsSignatures(certificate))
        {
            return ImageErrors.CertificateUsage(certificate.Subject, "its key usage does not contain digital signature");
        }

        return CertificateFacts.IsAuthority(certificate)
            ? ImageErrors.CertificateUsage(certificate.Subject, "it is a certificate authority's")
            : null;
    }

    /// <summary>The signer as images keep it.</summary>
    public static ImageSigner SignerOf(CmsSignature cms) => new(
        cms.Certificate.Subject, Convert.ToHexStringLower(SHA256.HashData(cms.Certificate.RawDataMemory.Span)));
}
