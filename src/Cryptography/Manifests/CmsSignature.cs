using Muster.Cryptography.Certificates;
using Org.BouncyCastle.Asn1.Cms;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Crypto;
using SignerInformation = Org.BouncyCastle.Cms.SignerInformation;

namespace Muster.Cryptography.Manifests;

/// <summary>
/// A detached CMS signature (RFC 5652) as far as it can be judged without the content: one signer, its certificate embedded,
/// algorithms of today.
/// </summary>
internal sealed class CmsSignature
{
    /// <summary>A real one nests about 12 deep; a deeper one is made to exhaust the stack of its reader.</summary>
    private const int DepthMax = 48;

    private static readonly Dictionary<string, HashAlgorithmName> Digests = new(StringComparer.Ordinal)
    {
        ["2.16.840.1.101.3.4.2.1"] = HashAlgorithmName.SHA256,
        ["2.16.840.1.101.3.4.2.2"] = HashAlgorithmName.SHA384,
        ["2.16.840.1.101.3.4.2.3"] = HashAlgorithmName.SHA512,
    };

    /// <summary>rsaEncryption, RSASSA-PSS, sha256/384/512WithRSAEncryption, ecdsa-with-SHA256/384/512.</summary>
    private static readonly HashSet<string> Algorithms = new(StringComparer.Ordinal)
    {
        "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12",
        "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4",
    };

    private readonly byte[] _encoded;
    private readonly string _digestOid;
    private readonly AsymmetricKeyParameter _key;

    private CmsSignature(
        byte[] encoded, string digestOid, AsymmetricKeyParameter key, X509Certificate2 certificate, X509Certificate2Collection others)
    {
        _encoded = encoded;
        _digestOid = digestOid;
        _key = key;
        Certificate = certificate;
        Others = others;
    }

    /// <summary>The signer's certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The other certificates in the message, at most <see cref="TrustStore.PresentedMax"/>.</summary>
    public X509Certificate2Collection Others { get; }

    public HashAlgorithmName Digest => Digests[_digestOid];

    /// <summary>Reads a signature; a sentence says what is wrong with it. Null and no sentence: nobody has signed.</summary>
    public static (CmsSignature? Signature, string? Fault) Read(ReadOnlyMemory<byte> encoded)
    {
        if (!BerDepth.IsWithin(encoded.Span, DepthMax))
        {
            return (null, "it is not a CMS message");
        }

        try
        {
            return ReadParsed(encoded.ToArray());
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The parser answers hostile bytes with a dozen kinds of exceptions; all mean the same.
            return (null, "it is not a CMS message with one signer and its certificate");
        }
    }

    /// <summary>Whether the signer signed content with this digest.</summary>
    public bool Verifies(byte[] contentDigest)
    {
        try
        {
            var digests = new Dictionary<string, byte[]>(StringComparer.Ordinal) { [_digestOid] = contentDigest };
            return SingleSigner(new CmsSignedData(digests, _encoded)).Verify(_key);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // As above: what cannot be verified is not verified.
            return false;
        }
    }

    private static (CmsSignature? Signature, string? Fault) ReadParsed(byte[] encoded)
    {
        var message = new CmsSignedData(encoded);
        var signers = message.GetSignerInfos().GetSigners();
        if (signers.Count == 0)
        {
            return (null, null);
        }

        if (signers.Count > 1)
        {
            return (null, "it has more than one signer");
        }

        var signer = SingleSigner(message);
        if (FaultOf(message, signer) is { } fault)
        {
            return (null, fault);
        }

        var certificates = message.GetCertificates();
        var own = certificates.EnumerateMatches(signer.SignerID).Take(2).ToList();
        if (own.Count != 1)
        {
            return (null, "the signer's certificate is not in it");
        }

        var certificate = X509CertificateLoader.LoadCertificate(own[0].GetEncoded());
        if (!CertificateFacts.HasStrongKey(certificate.PublicKey))
        {
            return (null, "the signer's key is neither RSA 2048 to 4096 nor P-256, P-384, P-521");
        }

        var others = new X509Certificate2Collection();
        foreach (var other in certificates.EnumerateMatches(null).Where(other => !other.Equals(own[0])).Take(TrustStore.PresentedMax))
        {
            others.Add(X509CertificateLoader.LoadCertificate(other.GetEncoded()));
        }

        return (new CmsSignature(encoded, signer.DigestAlgorithmID.Algorithm.Id, own[0].GetPublicKey(), certificate, others), null);
    }

    private static string? FaultOf(CmsSignedData message, SignerInformation signer)
    {
        if (message.SignedContent is not null)
        {
            return "it is not detached";
        }

        if (!message.SignedContentType.Equals(CmsObjectIdentifiers.Data))
        {
            return "it does not sign data";
        }

        // Without signed attributes a signature over attributes could be shown as one over a file that has their bytes.
        if (signer.SignedAttributes is null)
        {
            return "it has no signed attributes";
        }

        if (!Digests.ContainsKey(signer.DigestAlgorithmID.Algorithm.Id))
        {
            return "its digest is not SHA-256, SHA-384 or SHA-512";
        }

        return Algorithms.Contains(signer.SignatureAlgorithm.Algorithm.Id) && HasStrongPadding(signer)
            ? null
            : "its algorithm is neither RSA nor ECDSA with SHA-2";
    }

    private static bool HasStrongPadding(SignerInformation signer)
    {
        if (signer.SignatureAlgorithm.Algorithm.Id != PkcsObjectIdentifiers.IdRsassaPss.Id)
        {
            return true;
        }

        var parameters = RsassaPssParameters.GetInstance(signer.SignatureAlgorithm.Parameters);
        return Digests.ContainsKey(parameters.HashAlgorithm.Algorithm.Id);
    }

    private static SignerInformation SingleSigner(CmsSignedData message) => message.GetSignerInfos().GetSigners().Single();
}
