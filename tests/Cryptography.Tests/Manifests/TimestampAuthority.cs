using System.Formats.Asn1;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Manifests;

namespace Muster.Cryptography.Tests.Manifests;

/// <summary>An authority for timestamps: its tokens are made by <c>openssl ts</c>, or, where that refuses, by <c>openssl cms</c>.</summary>
internal sealed class TimestampAuthority : IDisposable
{
    private readonly OpenSsl _openssl = new();
    private readonly ImagePublisher _root;

    public TimestampAuthority(DateTimeOffset now, string name = "Timestamp root")
    {
        _root = ImagePublisher.Create(name, now);
        _openssl.Write(
            "ts.cnf",
            "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n"
            + "digests=sha1,sha256,sha384,sha512\ness_cert_id_alg=sha256\n[old]\nserial=serial\nsigner_digest=sha256\n"
            + "default_policy=1.2.3.4.1\ndigests=sha256\ness_cert_id_alg=sha1\n");
        _openssl.Write("serial", "01\n");
    }

    public string TrustPem => _root.TrustPem;

    /// <summary>As RFC 3161 wants it.</summary>
    public IssuedCertificate Issue(DateTimeOffset notBefore, DateTimeOffset notAfter) =>
        Issue(notBefore, notAfter, new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.8")], critical: true));

    public IssuedCertificate Issue(DateTimeOffset notBefore, DateTimeOffset notAfter, params ReadOnlySpan<X509Extension> extensions) =>
        _root.IssueSigner("Timestamp authority", notBefore, notAfter, extensions);

    /// <summary>A token of now over a signature.</summary>
    public byte[] Stamp(byte[] signature, IssuedCertificate authority, string query = "-sha256 -cert", string section = "t")
    {
        Write(authority);
        _openssl.Write("value", signature);
        _openssl.Run($"ts -query -data value {query} -out query.tsq");
        _openssl.Run($"ts -reply -config ts.cnf -section {section} -queryfile query.tsq "
            + "-signer tsa.pem -inkey tsa.key -token_out -out token");
        return _openssl.Read("token");
    }

    /// <summary>A token of any instant, by a certificate of any kind, with the content given.</summary>
    public byte[] Forge(byte[] content, IssuedCertificate authority, string options = "-cades", string type = "1.2.840.113549.1.9.16.1.4")
    {
        Write(authority);
        _openssl.Write("info", content);
        _openssl.Run($"cms -sign -binary -nodetach -in info -econtent_type {type} -signer tsa.pem -inkey tsa.key "
            + $"-md sha256 {options} -outform DER -out token");
        return _openssl.Read("token");
    }

    /// <summary>A TSTInfo (RFC 3161 2.4.2) over a signature.</summary>
    public static byte[] Content(byte[] signature, DateTimeOffset at)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(1);
            writer.WriteObjectIdentifier("1.2.3.4.1");
            using (writer.PushSequence())
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier("2.16.840.1.101.3.4.2.1");
                    writer.WriteNull();
                }

                writer.WriteOctetString(SHA256.HashData(signature));
            }

            writer.WriteInteger(7);
            writer.WriteGeneralizedTime(at, omitFractionalSeconds: true);
        }

        return writer.Encode();
    }

    public void Dispose()
    {
        _root.Dispose();
        _openssl.Dispose();
    }

    private void Write(IssuedCertificate authority)
    {
        _openssl.Write("tsa.pem", authority.CertificatePem);
        _openssl.Write("tsa.key", authority.KeyPem);
    }
}
