using Org.BouncyCastle.Asn1.Pkcs;
using SignerInformation = Org.BouncyCastle.Cms.SignerInformation;

namespace Muster.Cryptography.Manifests;

/// <summary>The algorithms of today, for the signers of images and of timestamps.</summary>
internal static class CmsAlgorithms
{
    private const string RsaEncryption = "1.2.840.113549.1.1.1";

    /// <summary>SHA-256, SHA-384 and SHA-512.</summary>
    private static readonly Dictionary<string, HashAlgorithmName> Digests = new(StringComparer.Ordinal)
    {
        ["2.16.840.1.101.3.4.2.1"] = HashAlgorithmName.SHA256,
        ["2.16.840.1.101.3.4.2.2"] = HashAlgorithmName.SHA384,
        ["2.16.840.1.101.3.4.2.3"] = HashAlgorithmName.SHA512,
    };

    /// <summary>sha256/384/512WithRSAEncryption, ecdsa-with-SHA256/384/512, and the digest that each has in its name.</summary>
    private static readonly Dictionary<string, HashAlgorithmName> Signatures = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.11"] = HashAlgorithmName.SHA256,
        ["1.2.840.113549.1.1.12"] = HashAlgorithmName.SHA384,
        ["1.2.840.113549.1.1.13"] = HashAlgorithmName.SHA512,
        ["1.2.840.10045.4.3.2"] = HashAlgorithmName.SHA256,
        ["1.2.840.10045.4.3.3"] = HashAlgorithmName.SHA384,
        ["1.2.840.10045.4.3.4"] = HashAlgorithmName.SHA512,
    };

    public static HashAlgorithmName? DigestOf(string oid) => Digests.TryGetValue(oid, out var digest) ? digest : null;

    /// <summary>A sentence that says what is wrong with a signer; null for a good one.</summary>
    public static string? FaultOf(SignerInformation signer)
    {
        // Without signed attributes a signature over attributes could be shown as one over a file that has their bytes.
        if (signer.SignedAttributes is null)
        {
            return "it has no signed attributes";
        }

        if (DigestOf(signer.DigestAlgorithmID.Algorithm.Id) is not { } digest)
        {
            return "its digest is not SHA-256, SHA-384 or SHA-512";
        }

        return IsStrong(signer, digest) ? null : "its algorithm is neither RSA nor ECDSA with SHA-2";
    }

    private static bool IsStrong(SignerInformation signer, HashAlgorithmName digest)
    {
        var oid = signer.SignatureAlgorithm.Algorithm.Id;
        if (oid == PkcsObjectIdentifiers.IdRsassaPss.Id)
        {
            var parameters = RsassaPssParameters.GetInstance(signer.SignatureAlgorithm.Parameters);
            return Digests.ContainsKey(parameters.HashAlgorithm.Algorithm.Id);
        }

        return oid == RsaEncryption || (Signatures.TryGetValue(oid, out var own) && own == digest);
    }
}
