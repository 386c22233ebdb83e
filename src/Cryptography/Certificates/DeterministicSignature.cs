using Org.BouncyCastle.Asn1.Nist;
using Org.BouncyCastle.Crypto.Digests;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Math;

namespace Muster.Cryptography.Certificates;

/// <summary>
/// ECDSA on P-256 over SHA-256 whose one-time number is drawn from key and message (RFC 6979): the same certificate twice is the same
/// bytes.
/// </summary>
internal sealed class DeterministicSignature : X509SignatureGenerator
{
    private readonly X509SignatureGenerator _form;
    private readonly ECPrivateKeyParameters _key;

    public DeterministicSignature(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _form = CreateForECDsa(key);
        var curve = NistNamedCurves.GetByName("P-256");
        var secret = key.ExportParameters(includePrivateParameters: true).D!;
        _key = new ECPrivateKeyParameters(new BigInteger(1, secret), new ECDomainParameters(curve));
        CryptographicOperations.ZeroMemory(secret);
    }

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
        _form.GetSignatureAlgorithmIdentifier(hashAlgorithm);

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm)
    {
        if (hashAlgorithm != HashAlgorithmName.SHA256)
        {
            throw new ArgumentException("The fleet CA signs SHA-256.", nameof(hashAlgorithm));
        }

        var signer = new ECDsaSigner(new HMacDsaKCalculator(new Sha256Digest()));
        signer.Init(forSigning: true, _key);
        var numbers = signer.GenerateSignature(SHA256.HashData(data));
        return StandardDsaEncoding.Instance.Encode(_key.Parameters.N, numbers[0], numbers[1]);
    }

    protected override PublicKey BuildPublicKey() => _form.PublicKey;
}
