using System.Formats.Asn1;
using Net.Pkcs11Interop.Common;

namespace Muster.Cryptography.Pkcs11;

/// <summary>ECDSA by a key in a token. What the token gives is verified before anybody gets it: it might be another key's by now.</summary>
internal sealed class TokenSignature(TokenModule module, TokenUri key, ECDsa publicKey, HashAlgorithmName hash) : X509SignatureGenerator
{
    private readonly X509SignatureGenerator _form = CreateForECDsa(publicKey);

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
        _form.GetSignatureAlgorithmIdentifier(hashAlgorithm);

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm)
    {
        if (hashAlgorithm != hash)
        {
            throw new ArgumentException($"This key signs {hash}.", nameof(hashAlgorithm));
        }

        var digest = CryptographicOperations.HashData(hash, data);
        var signature = module.Use(key, (session, handle) =>
        {
            using var mechanism = TokenLibrary.Factories.MechanismFactory.Create(CKM.CKM_ECDSA);
            return session.Sign(mechanism, handle, digest);
        });
        return publicKey.VerifyHash(digest, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            ? ToDer(signature)
            : throw new TokenException(
                $"The key {key.Which} in {key.Where} does not fit the CA's certificate: mend object= and id= of the URI, or give the silo "
                + "the certificate that belongs to it.");
    }

    protected override PublicKey BuildPublicKey() => _form.PublicKey;

    /// <summary>Tokens give the two numbers side by side, certificates hold a sequence of them (RFC 3279 2.2.3).</summary>
    private static byte[] ToDer(ReadOnlySpan<byte> signature)
    {
        var half = signature.Length / 2;
        var der = new AsnWriter(AsnEncodingRules.DER);
        using (der.PushSequence())
        {
            WriteNumber(der, signature[..half]);
            WriteNumber(der, signature[half..]);
        }

        return der.Encode();
    }

    private static void WriteNumber(AsnWriter der, ReadOnlySpan<byte> number) => der.WriteIntegerUnsigned(number.TrimStart((byte)0));
}
