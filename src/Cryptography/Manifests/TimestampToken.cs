using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Domain.Images;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Tsp;
using BcCertificate = Org.BouncyCastle.X509.X509Certificate;

namespace Muster.Cryptography.Manifests;

/// <summary>
/// The RFC 3161 token in a signature: by its own authority, over this signature and no other. A token that is not so makes the
/// signature bad; it is never passed over.
/// </summary>
internal static class TimestampToken
{
    /// <summary>Authorities and silos follow the same clocks; more than this in the future is a clock that nothing may rest on.</summary>
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(5);

    private static readonly Oid TimeStamping = new(CertificateFacts.TimeStamping);

    /// <summary>The timestamp of a signature that has one, or why it proves nothing.</summary>
    public static (ImageTimestamp? Timestamp, FleetError? Error) Verify(CmsSignature signature, TrustStore authorities, DateTimeOffset now)
    {
        if (signature.Timestamps.Length != 1)
        {
            return Invalid("there is more than one");
        }

        try
        {
            return Verify(signature.Timestamps[0], signature.Value.AsSpan(), authorities, now);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The parser answers hostile bytes with a dozen kinds of exceptions; all mean the same.
            return Invalid("it is not an RFC 3161 token with one signer and its certificate");
        }
    }

    private static (ImageTimestamp? Timestamp, FleetError? Error) Verify(
        ReadOnlyMemory<byte> encoded, ReadOnlySpan<byte> signature, TrustStore authorities, DateTimeOffset now)
    {
        var message = new CmsSignedData(encoded.ToArray());
        if (message.SignedContentType.Id != PkcsObjectIdentifiers.IdCTTstInfo.Id
            || CmsSignature.ContentOf(message) is not { } content
            || !BerDepth.IsWithin(content, CmsSignature.DepthMax))
        {
            return Invalid("it is not an RFC 3161 token");
        }

        var token = new TimeStampToken(message);
        if (FaultOf(message, token, signature) is { } fault)
        {
            return Invalid(fault);
        }

        var at = new DateTimeOffset(DateTime.SpecifyKind(token.TimeStampInfo.GenTime, DateTimeKind.Utc));
        if (at > now + SkewMax)
        {
            return Invalid("its time is in the future");
        }

        var own = message.GetCertificates().EnumerateMatches(token.SignerID).Take(2).ToList();
        if (own.Count != 1)
        {
            return Invalid("its authority's certificate is not in it");
        }

        using var certificate = X509CertificateLoader.LoadCertificate(own[0].GetEncoded());
        if (FaultOf(certificate, message, authorities, at) is { } untrusted)
        {
            return (null, untrusted);
        }

        return IsSignedBy(token, own[0])
            ? (new ImageTimestamp(at, certificate.Subject), null)
            : Invalid("its authority has not signed it, or means another certificate");
    }

    private static string? FaultOf(CmsSignedData message, TimeStampToken token, ReadOnlySpan<byte> signature)
    {
        var info = token.TimeStampInfo;
        if (message.GetSignerInfos().GetSigners().Single() is var signer && CmsAlgorithms.FaultOf(signer) is { } fault)
        {
            return fault;
        }

        if (info.TstInfo.Extensions?.GetCriticalExtensionOids().Length > 0)
        {
            return "it has a critical extension that nobody here knows";
        }

        if (CmsAlgorithms.DigestOf(info.MessageImprintAlgOid) is not { } digest)
        {
            return "the digest of its imprint is not SHA-256, SHA-384 or SHA-512";
        }

        return info.GetMessageImprintDigest().AsSpan().SequenceEqual(CryptographicOperations.HashData(digest, signature))
            ? null
            : "it is of another signature";
    }

    /// <summary>RFC 3161 2.3: a certificate for timestamps and nothing else, which says so critically.</summary>
    private static FleetError? FaultOf(X509Certificate2 certificate, CmsSignedData message, TrustStore authorities, DateTimeOffset at)
    {
        if (CertificateFacts.Extension<X509EnhancedKeyUsageExtension>(certificate) is not { Critical: true } usage
            || usage.EnhancedKeyUsages.Count != 1
            || usage.EnhancedKeyUsages[0].Value != CertificateFacts.TimeStamping
            || !CertificateFacts.AllowsSignatures(certificate)
            || CertificateFacts.IsAuthority(certificate)
            || !CertificateFacts.HasStrongKey(certificate.PublicKey))
        {
            return ImageErrors.TimestampUntrusted(
                certificate.Subject, "its certificate is not critically for timestamps alone, or its key is weak");
        }

        var others = new X509Certificate2Collection();
        foreach (var other in message.GetCertificates().EnumerateMatches(null).Take(TrustStore.PresentedMax))
        {
            others.Add(X509CertificateLoader.LoadCertificate(other.GetEncoded()));
        }

        return authorities.Follow(certificate, others, at, TimeStamping).State switch
        {
            ChainState.Trusted => null,
            ChainState.Expired => ImageErrors.TimestampUntrusted(
                certificate.Subject, "its certificate, or one above it, was not valid at the time that it states"),
            ChainState.WrongUsage => ImageErrors.TimestampUntrusted(certificate.Subject, "one above it is not for timestamps"),
            ChainState.Untrusted or _ => ImageErrors.TimestampUntrusted(
                certificate.Subject, "it does not chain to a trusted root for timestamps"),
        };
    }

    /// <summary>The signature, and the signed attribute that names the certificate (RFC 5035, RFC 5816).</summary>
    private static bool IsSignedBy(TimeStampToken token, BcCertificate certificate)
    {
        try
        {
            token.Validate(certificate);
            return true;
        }
        catch (TspException)
        {
            return false;
        }
    }

    private static (ImageTimestamp? Timestamp, FleetError? Error) Invalid(string cause) => (null, ImageErrors.TimestampInvalid(cause));
}
