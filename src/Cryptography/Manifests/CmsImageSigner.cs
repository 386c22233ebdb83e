using Org.BouncyCastle.Asn1;
using Org.BouncyCastle.Asn1.Cms;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Utilities.Collections;
using BcCertificate = Org.BouncyCastle.X509.X509Certificate;
using BcTime = Org.BouncyCastle.Asn1.X509.Time;

namespace Muster.Cryptography.Manifests;

/// <summary>A publisher's side: signs an image with a detached CMS signature (RFC 5652), SHA-256, reading the content once.</summary>
public static class CmsImageSigner
{
    private const string Sha256 = "2.16.840.1.101.3.4.2.1";

    /// <param name="content">The image, from its position to its end.</param>
    /// <param name="signer">The signer's certificate and its PKCS #8 key, both PEM.</param>
    /// <param name="intermediatesPem">Certificates between signer and root, PEM; empty for none.</param>
    /// <param name="now">Goes into the signed attribute signingTime, to the second.</param>
    /// <returns>The signature, DER.</returns>
    public static byte[] Sign(Stream content, Certificates.IssuedCertificate signer, string intermediatesPem, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(signer);
        using var certificate = X509Certificate2.CreateFromPem(signer.CertificatePem);
        var intermediates = new X509Certificate2Collection();
        intermediates.ImportFromPem(intermediatesPem);
        var own = new BcCertificate(certificate.RawData);
        List<BcCertificate> chain = [own, .. intermediates.Select(other => new BcCertificate(other.RawData))];

        var time = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()).UtcDateTime;
        var signingTime = new Org.BouncyCastle.Asn1.Cms.Attribute(CmsAttributes.SigningTime, new DerSet(new BcTime(time)));
        var generator = new CmsSignedDataStreamGenerator();
        generator.AddSigner(
            PrivateKeyFactory.CreateKey(KeyBytes(signer.KeyPem)), own, Sha256, new AttributeTable(new DerSet(signingTime)), null);
        generator.AddCertificates(CollectionUtilities.CreateStore(chain));

        using var encoded = new MemoryStream();
        using (var sink = generator.Open(encoded, encapsulate: false))
        {
            content.CopyTo(sink);
        }

        return Asn1Object.FromByteArray(encoded.ToArray()).GetEncoded(Asn1Encodable.Der);
    }

    private static byte[] KeyBytes(string pem)
    {
        var fields = PemEncoding.Find(pem);
        return Convert.FromBase64String(pem[fields.Base64Data]);
    }
}
