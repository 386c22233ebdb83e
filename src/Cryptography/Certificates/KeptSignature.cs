using System.Formats.Asn1;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// Makes a certificate again with the signature that it has already: a module draws another one each time, and there may not be two
/// certificates of one serial number.
/// </summary>
internal sealed class KeptSignature(ECDsa publicKey, byte[] signature) : X509SignatureGenerator
{
    private readonly X509SignatureGenerator _form = CreateForECDsa(publicKey);

    /// <summary>Whether what was to be signed is what the signature belongs to.</summary>
    public bool IsFit { get; private set; }

    /// <summary>The signature of a certificate (RFC 5280 4.1: content, algorithm, signature).</summary>
    public static byte[] Of(byte[] certificate)
    {
        var fields = new AsnReader(certificate, AsnEncodingRules.DER).ReadSequence();
        fields.ReadEncodedValue();
        fields.ReadEncodedValue();
        return fields.ReadBitString(out _);
    }

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
        _form.GetSignatureAlgorithmIdentifier(hashAlgorithm);

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm)
    {
        IsFit = publicKey.VerifyData(data, signature, hashAlgorithm, DSASignatureFormat.Rfc3279DerSequence);
        return signature;
    }

    protected override PublicKey BuildPublicKey() => _form.PublicKey;
}
