using System.Net;

namespace Muster.Cryptography.Certificates;

/// <summary>A certificate with the key that belongs to it, both PEM.</summary>
/// <param name="CertificatePem">The certificate.</param>
/// <param name="KeyPem">PKCS #8, not encrypted.</param>
public sealed record IssuedCertificate(string CertificatePem, string KeyPem);

/// <summary>
/// A small certificate authority with one P-256 key: the operators' CA, or the CA of the host's own server certificates. Its files
/// are <c>NAME.pem</c> and <c>NAME.key</c> (mode 0600).
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    /// <summary>Names of one server certificate; a host has a handful.</summary>
    public const int ServerNamesMax = 32;

    /// <summary>Clocks of peers may be behind by some minutes.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>With its key: for what signs in this authority's name.</summary>
    internal X509Certificate2 Certificate => _certificate;

    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>The authority's certificate without its key; the caller disposes it.</summary>
    public X509Certificate2 CopyCertificate() => X509CertificateLoader.LoadCertificate(_certificate.RawData);

    /// <summary>An authority that lives in memory only.</summary>
    public static CertificateAuthority Create(string commonName, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateAuthority(SelfSign(key, commonName, now, lifetime));
    }

    /// <summary>
    /// Loads the authority <paramref name="name"/> from a folder, or creates it there. The key is written first: a crash in between
    /// leaves a key for which the certificate is made at the next start.
    /// </summary>
    public static CertificateAuthority LoadOrCreate(
        string folder, string name, string commonName, DateTimeOffset now, TimeSpan lifetime, bool isGroupReadAllowed = false)
    {
        PrivateFile.CreateFolder(folder);
        var keyPath = Path.Combine(folder, $"{name}.key");
        var certificatePath = Path.Combine(folder, $"{name}.pem");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(keyPath))
        {
            PrivateFile.RequireOwnerOnly(keyPath, isGroupReadAllowed);
            key.ImportFromPem(File.ReadAllText(keyPath));
        }
        else
        {
            PrivateFile.Write(keyPath, key.ExportPkcs8PrivateKeyPem());
        }

        if (File.Exists(certificatePath))
        {
            using var stored = X509Certificate2.CreateFromPem(File.ReadAllText(certificatePath));
            return new CertificateAuthority(stored.CopyWithPrivateKey(key));
        }

        var authority = new CertificateAuthority(SelfSign(key, commonName, now, lifetime));
        PrivateFile.Write(certificatePath, authority.CertificatePem);
        return authority;
    }

    /// <summary>A new key with a TLS server certificate for DNS names and IP addresses.</summary>
    public IssuedCertificate IssueServer(IReadOnlyCollection<string> names, DateTimeOffset now, TimeSpan lifetime)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (names.Count is 0 or > ServerNamesMax)
        {
            throw new ArgumentException($"A server certificate has 1 to {ServerNamesMax} names.", nameof(names));
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        var request = new CertificateRequest(CommonName(names.First()), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(alternatives.Build());
        using var certificate = Issue(request, CertificateFacts.ServerAuthentication, now, lifetime);
        return new IssuedCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>A TLS client certificate for somebody else's key; the subject is what we say, not what was asked for.</summary>
    internal X509Certificate2 IssueClient(PublicKey key, X500DistinguishedName subject, DateTimeOffset now, TimeSpan lifetime) =>
        Issue(
            new CertificateRequest(subject, key, HashAlgorithmName.SHA256),
            CertificateFacts.ClientAuthentication,
            now,
            lifetime);

    public void Dispose() => _certificate.Dispose();

    internal static X500DistinguishedName CommonName(string value)
    {
        var builder = new X500DistinguishedNameBuilder();
        builder.AddCommonName(value);
        return builder.Build();
    }

    /// <summary>A positive serial number of 16 random bytes (RFC 5280 4.1.2.2: unique, at most 20).</summary>
    internal static byte[] NewSerialNumber()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40);
        return serial;
    }

    private X509Certificate2 Issue(CertificateRequest request, string usage, DateTimeOffset now, TimeSpan lifetime)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));

        // Nothing lives longer than the authority, or began before it.
        var from = Later(now - ClockSkew, _certificate.NotBefore);
        var to = Earlier(now + lifetime, _certificate.NotAfter);
        using var key = _certificate.GetECDsaPrivateKey() ?? throw new UnreachableException("The authority has no key.");
        return request.Create(_certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), from, to, NewSerialNumber());
    }

    private static DateTimeOffset Later(DateTimeOffset left, DateTime right) => left > right ? left : right;

    private static DateTimeOffset Earlier(DateTimeOffset left, DateTime right) => left < right ? left : right;

    private static X509Certificate2 SelfSign(ECDsa key, string commonName, DateTimeOffset now, TimeSpan lifetime)
    {
        var request = AuthorityRequest(new PublicKey(key), HashAlgorithmName.SHA256, commonName);
        using var certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - ClockSkew, now + lifetime, NewSerialNumber());
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>What every CA of ours says of itself, whoever holds its key.</summary>
    internal static CertificateRequest AuthorityRequest(PublicKey key, HashAlgorithmName hash, string commonName)
    {
        var request = new CertificateRequest(CommonName(commonName), key, hash);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(key, critical: false));
        return request;
    }
}
