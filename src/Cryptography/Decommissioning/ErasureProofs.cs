using Muster.Domain;
using Muster.Domain.Decommissioning;

namespace Muster.Cryptography.Decommissioning;

/// <summary>Verifies erasure proofs; <see cref="IErasureProofVerifier"/> names the algorithms.</summary>
public sealed class ErasureProofVerifier : IErasureProofVerifier
{
    /// <summary>RSA-4096 gives 512 bytes.</summary>
    public const int SignatureBytesMax = 1024;

    public FleetError? Verify(ErasureProof proof, ImmutableArray<byte> publicKey, ImmutableArray<byte> signature)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (signature.IsDefaultOrEmpty || signature.Length > SignatureBytesMax)
        {
            return Invalid("it is missing or too long");
        }

        if (publicKey.IsDefaultOrEmpty || !proof.TryEncode(out var bytes))
        {
            return Invalid("a value of it cannot be signed");
        }

        try
        {
            return ErasureProofKey.Verify(publicKey.AsSpan(), bytes.AsSpan(), signature.AsSpan())
                ? null
                : Invalid("the signature does not verify under the key on record");
        }
        catch (CryptographicException)
        {
            return Invalid("the key on record cannot verify it");
        }
    }

    private static FleetError Invalid(string cause) => FleetError.Of(
        ErrorKind.Invalid, "ERASURE_PROOF_INVALID", $"The erasure proof is refused: {cause}.", ("cause", cause));
}

/// <summary>A device's side: signs the proof with its identity key.</summary>
public static class ErasureProofSigner
{
    /// <param name="proof">What to sign.</param>
    /// <param name="identity">The device's certificate with its private key.</param>
    public static byte[] Sign(ErasureProof proof, X509Certificate2 identity)
    {
        ArgumentNullException.ThrowIfNull(proof);
        ArgumentNullException.ThrowIfNull(identity);
        if (!proof.TryEncode(out var bytes))
        {
            throw new ArgumentException("A value of the proof has no encoding.", nameof(proof));
        }

        using var ecdsa = identity.GetECDsaPrivateKey();
        if (ecdsa is not null)
        {
            return ecdsa.SignData(bytes.AsSpan(), ErasureProofKey.HashOf(ecdsa), DSASignatureFormat.Rfc3279DerSequence);
        }

        using var rsa = identity.GetRSAPrivateKey() ?? throw new ArgumentException("The identity has no private key.", nameof(identity));
        return rsa.SignData(bytes.AsSpan(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}

internal static class ErasureProofKey
{
    private const string EllipticCurve = "1.2.840.10045.2.1";

    public static HashAlgorithmName HashOf(ECDsa key) => key.KeySize > 256 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> signature)
    {
        if (PublicKey.CreateFromSubjectPublicKeyInfo(publicKey, out _).Oid.Value == EllipticCurve)
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(publicKey, out _);
            return ecdsa.VerifyData(bytes, signature, HashOf(ecdsa), DSASignatureFormat.Rfc3279DerSequence);
        }

        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(publicKey, out _);
        return rsa.VerifyData(bytes, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
