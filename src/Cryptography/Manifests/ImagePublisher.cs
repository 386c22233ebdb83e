using Muster.Cryptography.Certificates;

namespace Muster.Cryptography.Manifests;

/// <summary>
/// A make-believe publisher of images: a root and code-signing certificates under it. For simulated fleets and tests; nobody
/// trusts its root unless it is put into a trust folder.
/// </summary>
public sealed class ImagePublisher : IDisposable
{
    private readonly X509Certificate2 _root;

    private ImagePublisher(X509Certificate2 root) => _root = root;

    /// <summary>The root, PEM: the contents of a trust file.</summary>
    public string TrustPem => _root.ExportCertificatePem();

    public static ImagePublisher Create(string commonName, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(CertificateAuthority.CommonName(commonName), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return new ImagePublisher(request.CreateSelfSigned(now.AddYears(-2), now.AddYears(20)));
    }

    /// <summary>A code-signing certificate with a new P-256 key, valid for a year around now.</summary>
    public IssuedCertificate IssueSigner(string commonName, DateTimeOffset now) => IssueSigner(
        commonName, now.AddDays(-1), now.AddYears(1), new X509EnhancedKeyUsageExtension([new Oid(CertificateFacts.CodeSigning)], true));

    /// <summary>A certificate for a period and with extensions of choice; the bad ones are made with it.</summary>
    public IssuedCertificate IssueSigner(
        string commonName, DateTimeOffset notBefore, DateTimeOffset notAfter, params ReadOnlySpan<X509Extension> extensions)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(CertificateAuthority.CommonName(commonName), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_root, true, false));
        foreach (var extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        using var certificate = request.Create(_root, notBefore, notAfter, CertificateAuthority.NewSerialNumber());
        return new IssuedCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose() => _root.Dispose();
}
