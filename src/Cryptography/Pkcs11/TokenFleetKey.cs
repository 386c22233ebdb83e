using Muster.Cryptography.Certificates;
using Muster.Cryptography.CertificateStatus;

namespace Muster.Cryptography.Pkcs11;

/// <summary>The key of a fleet CA in a hardware module.</summary>
internal sealed class TokenFleetKey : FleetKey
{
    private readonly ECDsa _publicKey;

    /// <param name="module">Lives longer than this.</param>
    /// <param name="uri">Names the key.</param>
    /// <param name="publicKey">Of the CA's certificate.</param>
    /// <param name="serialSecret">All silos have the same.</param>
    public TokenFleetKey(TokenModule module, TokenUri uri, PublicKey publicKey, byte[] serialSecret)
    {
        _publicKey = publicKey.GetECDsaPublicKey()
            ?? throw TokenException.Final("The fleet CA's certificate has no key on an elliptic curve, and so none in a module.");
        Hash = HashOf(_publicKey);
        Signature = new TokenSignature(module, uri, _publicKey, Hash);
        Serials = new SerialNumbers(serialSecret);
    }

    internal override X509SignatureGenerator Signature { get; }

    internal override HashAlgorithmName Hash { get; }

    internal override bool IsDeterministic => false;

    internal override bool IsSlow => true;

    internal override SerialNumbers Serials { get; }

    protected override void Dispose(bool isDisposing) => _publicKey.Dispose();

    private static HashAlgorithmName HashOf(ECDsa key) => key.KeySize switch
    {
        256 => HashAlgorithmName.SHA256,
        384 => HashAlgorithmName.SHA384,
        521 => HashAlgorithmName.SHA512,
        _ => throw TokenException.Final("The fleet CA's key is on P-256, P-384 or P-521."),
    };
}
