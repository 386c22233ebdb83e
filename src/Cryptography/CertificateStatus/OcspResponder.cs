using Muster.Cryptography.Certificates;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;
using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Ocsp;
using Org.BouncyCastle.Asn1.X509;
using Org.BouncyCastle.Ocsp;
using AsnExtension = Org.BouncyCastle.Asn1.X509.X509Extension;
using PlatformExtension = System.Security.Cryptography.X509Certificates.X509Extension;
using OcspCertificateStatus = Org.BouncyCastle.Ocsp.CertificateStatus;

namespace Muster.Cryptography.CertificateStatus;

/// <summary>
/// Signs OCSP answers for one CA with a key of its own, which the CA delegates to for a week (RFC 6960 4.2.2.2). The key is made in this
/// process and is in no file: a silo that starts anew has another one. So a CA's key in a slow module signs twice a week, not every answer.
/// </summary>
internal sealed class OcspResponder : IDisposable
{
    public const string OcspSigning = "1.3.6.1.5.5.7.3.9";

    private const string NoCheckOid = "1.3.6.1.5.5.7.48.1.5";

    /// <summary>Nobody can take this certificate back (ocsp-nocheck), so it is short.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    private static readonly byte[] Null = [0x05, 0x00];

    /// <summary>Hashes that clients name the issuer with; SHA-1 is what most do, and nothing rests on it.</summary>
    private static readonly ImmutableDictionary<string, HashAlgorithmName> Hashes = new Dictionary<string, HashAlgorithmName>
    {
        ["1.3.14.3.2.26"] = HashAlgorithmName.SHA1,
        ["2.16.840.1.101.3.4.2.1"] = HashAlgorithmName.SHA256,
        ["2.16.840.1.101.3.4.2.2"] = HashAlgorithmName.SHA384,
        ["2.16.840.1.101.3.4.2.3"] = HashAlgorithmName.SHA512,
    }.ToImmutableDictionary();

    private readonly X509Certificate2 _authority;
    private readonly FleetKey _authorityKey;
    private readonly int _generation;
    private readonly ImmutableDictionary<string, (byte[] Name, byte[] Key)> _names;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private Delegation? _delegation;

    public OcspResponder(X509Certificate2 authority, FleetKey authorityKey, int generation)
    {
        (_authority, _authorityKey, _generation) = (authority, authorityKey, generation);
        var (name, key) = (authority.SubjectName.RawData, authority.PublicKey.EncodedKeyValue.RawData);
        _names = Hashes.ToImmutableDictionary(
            hash => hash.Key,
            hash => (CryptographicOperations.HashData(hash.Value, name), CryptographicOperations.HashData(hash.Value, key)));
    }

    /// <summary>Whether all certificates that are asked for are this CA's.</summary>
    public bool IsIssuerOf(OcspQuestion question) => question.Certificates.All(certificate =>
        _names.TryGetValue(certificate.HashAlgOid, out var names)
        && names.Name.AsSpan().SequenceEqual(certificate.GetIssuerNameHash())
        && names.Key.AsSpan().SequenceEqual(certificate.GetIssuerKeyHash()));

    /// <summary>Whether the CA's key should sign a certificate for this responder; the one that it has may still be good.</summary>
    public bool IsDelegationDue(DateTimeOffset now) =>
        _delegation is not { } known || now >= known.NotAfter - (Lifetime / 2) || now < known.NotBefore;

    /// <summary>Has the CA's key sign a certificate for this responder.</summary>
    public void Delegate(DateTimeOffset now)
    {
        using var certificate = Sign(now);
        _delegation = new Delegation(
            new Org.BouncyCastle.X509.X509Certificate(certificate.RawData),
            new DateTimeOffset(certificate.NotBefore),
            new DateTimeOffset(certificate.NotAfter));
    }

    /// <summary>Answers with what <see cref="Delegate"/> signed last; without it the client has to try later.</summary>
    public OcspAnswer Answer(
        OcspQuestion question, Func<CertificateSerial, OcspFinding> find, DateTimeOffset thisUpdate, DateTimeOffset now)
    {
        if (_delegation is not { } known || now >= known.NotAfter)
        {
            return OcspErrors.TryLater;
        }

        var certificate = known.Certificate;
        var nextUpdate = thisUpdate + StatusRules.AnswerLifetime;
        var generator = new BasicOcspRespGenerator(new RespID(certificate.SubjectDN));
        foreach (var asked in question.Certificates)
        {
            generator.AddResponse(asked, StatusOf(asked, find), thisUpdate.UtcDateTime, nextUpdate.UtcDateTime, null);
        }

        if (question.Nonce is { } nonce)
        {
            generator.SetResponseExtensions(new X509Extensions(
                new Dictionary<DerObjectIdentifier, AsnExtension> { [OcspObjectIdentifiers.PkixOcspNonce] = nonce }));
        }

        var basic = generator.Generate(new KeySignature(_key), [certificate], now.UtcDateTime);
        var response = new OCSPRespGenerator().Generate(OcspRespStatus.Successful, basic);
        return new OcspAnswer([.. response.GetEncoded()], question.Nonce is null ? nextUpdate : null);
    }

    public void Dispose() => _key.Dispose();

    /// <summary>Null is good.</summary>
    private static OcspCertificateStatus? StatusOf(CertificateID asked, Func<CertificateSerial, OcspFinding> find) =>
        OcspQuestion.SerialOf(asked) is not { } serial || find(serial) is not { IsKnown: true } finding
            ? new UnknownStatus()
            : finding.Revoked is { } revoked
                ? new RevokedStatus(revoked.RevokedAt.UtcDateTime, RevocationLists.ReasonOf(revoked.Cause))
                : null;

    private X509Certificate2 Sign(DateTimeOffset now)
    {
        var request = new CertificateRequest(
            CertificateAuthority.CommonName($"Muster fleet CA {_generation} OCSP"), new PublicKey(_key), _authorityKey.Hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(OcspSigning)], critical: true));
        request.CertificateExtensions.Add(new PlatformExtension(NoCheckOid, Null, critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        var (first, last) = (new DateTimeOffset(_authority.NotBefore), new DateTimeOffset(_authority.NotAfter));
        var (from, to) = (now - CertificateAuthority.ClockSkew, now + Lifetime);
        return request.Create(
            _authority.SubjectName,
            _authorityKey.Signature,
            from < first ? first : from,
            to > last ? last : to,
            CertificateAuthority.NewSerialNumber());
    }

    private sealed record Delegation(Org.BouncyCastle.X509.X509Certificate Certificate, DateTimeOffset NotBefore, DateTimeOffset NotAfter);
}
