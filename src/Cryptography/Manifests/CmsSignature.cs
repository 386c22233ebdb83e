using Muster.Cryptography.Certificates;
using Org.BouncyCastle.Asn1.Cms;
using Org.BouncyCastle.Asn1.Pkcs;
using Org.BouncyCastle.Cms;
using Org.BouncyCastle.Crypto;
using SignerInformation = Org.BouncyCastle.Cms.SignerInformation;

namespace Muster.Cryptography.Manifests;

/// <summary>Where the content of a CMS signature may be.</summary>
internal enum CmsContent
{
    /// <summary>Beside the message.</summary>
    Detached = 1,

    /// <summary>Beside the message or in it; what was found, the message says.</summary>
    Any = 2,
}

/// <summary>
/// A CMS signature (RFC 5652) as far as it can be judged without the content: one signer, its certificate embedded, algorithms of
/// today.
/// </summary>
internal sealed class CmsSignature
{
    /// <summary>Real ones nest about 12 deep, with a timestamp about 20; a deeper one is made to exhaust the stack of its reader.</summary>
    public const int DepthMax = 48;

    private readonly byte[] _encoded;
    private readonly string _digestOid;
    private readonly AsymmetricKeyParameter _key;

    private CmsSignature(
        byte[] encoded,
        SignerInformation signer,
        AsymmetricKeyParameter key,
        X509Certificate2 certificate,
        X509Certificate2Collection others)
    {
        _encoded = encoded;
        _digestOid = signer.DigestAlgorithmID.Algorithm.Id;
        _key = key;
        Certificate = certificate;
        Others = others;
        Value = [.. signer.GetSignature()];
        Timestamps = TimestampsOf(signer);
    }

    /// <summary>The signer's certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The other certificates in the message, at most <see cref="TrustStore.PresentedMax"/>.</summary>
    public X509Certificate2Collection Others { get; }

    /// <summary>What is in the message; null when the content is beside it.</summary>
    public byte[]? Content { get; private init; }

    /// <summary>The signature itself: what a timestamp is over.</summary>
    public ImmutableArray<byte> Value { get; }

    /// <summary>The timestamp tokens among the unsigned attributes (RFC 3161, appendix A), as they are encoded.</summary>
    public ImmutableArray<ReadOnlyMemory<byte>> Timestamps { get; }

    public HashAlgorithmName Digest => CmsAlgorithms.DigestOf(_digestOid)!.Value;

    public string DigestOid => _digestOid;

    /// <summary>Reads a signature; a sentence says what is wrong with it. Null and no sentence: nobody has signed.</summary>
    public static (CmsSignature? Signature, string? Fault) Read(ReadOnlyMemory<byte> encoded, CmsContent content)
    {
        if (!BerDepth.IsWithin(encoded.Span, DepthMax))
        {
            return (null, "it is not a CMS message");
        }

        try
        {
            return ReadParsed(encoded.ToArray(), content);
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

    /// <summary>What is in a message; null when the content is beside it.</summary>
    public static byte[]? ContentOf(CmsSignedData message)
    {
        if (message.SignedContent is not { } content)
        {
            return null;
        }

        using var bytes = new MemoryStream();
        content.Write(bytes);
        return bytes.ToArray();
    }

    private static (CmsSignature? Signature, string? Fault) ReadParsed(byte[] encoded, CmsContent content)
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
        if (FaultOf(message, signer, content) is { } fault)
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

        return (
            new CmsSignature(encoded, signer, own[0].GetPublicKey(), certificate, others) { Content = ContentOf(message) },
            null);
    }

    private static string? FaultOf(CmsSignedData message, SignerInformation signer, CmsContent content)
    {
        if (message.SignedContent is not null && content == CmsContent.Detached)
        {
            return "it is not detached";
        }

        // The parser itself does not look at it.
        if (!message.ContentInfo.ContentType.Equals(CmsObjectIdentifiers.SignedData))
        {
            return "it is not a CMS message of signed data";
        }

        return message.SignedContentType.Equals(CmsObjectIdentifiers.Data) ? CmsAlgorithms.FaultOf(signer) : "it does not sign data";
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> TimestampsOf(SignerInformation signer)
    {
        if (signer.UnsignedAttributes is not { } attributes)
        {
            return [];
        }

        return
        [
            .. attributes.GetAll(PkcsObjectIdentifiers.IdAASignatureTimeStampToken)
                .Select(Org.BouncyCastle.Asn1.Cms.Attribute.GetInstance)
                .SelectMany(attribute => attribute.AttrValues.Select(value => new ReadOnlyMemory<byte>(value.GetEncoded()))),
        ];
    }

    private static SignerInformation SingleSigner(CmsSignedData message) => message.GetSignerInfos().GetSigners().Single();
}
