using Muster.Cryptography.CertificateStatus;

namespace Muster.Cryptography.Certificates;

/// <summary>The key of a fleet CA, wherever it is: in a file, or in a hardware module.</summary>
public abstract class FleetKey : IDisposable
{
    /// <summary>Signs; throws when a module cannot.</summary>
    internal abstract X509SignatureGenerator Signature { get; }

    /// <summary>The hash that goes with the curve.</summary>
    internal abstract HashAlgorithmName Hash { get; }

    /// <summary>The same content gets the same signature.</summary>
    internal abstract bool IsDeterministic { get; }

    /// <summary>A signature may take its time, or may not come.</summary>
    internal abstract bool IsSlow { get; }

    internal abstract SerialNumbers Serials { get; }

    public void Dispose()
    {
        Dispose(isDisposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool isDisposing);
}

/// <summary>The key of a fleet CA in a file: P-256, read into memory at the start.</summary>
internal sealed class FileFleetKey : FleetKey
{
    private readonly CertificateAuthority _authority;
    private readonly ECDsa _key;

    /// <param name="authority">The CA with its key; disposed with this.</param>
    public FileFleetKey(CertificateAuthority authority)
    {
        _authority = authority;
        _key = authority.Certificate.GetECDsaPrivateKey() ?? throw new ArgumentException("The authority has no key.", nameof(authority));
        Signature = new DeterministicSignature(_key);
        var secret = _key.ExportParameters(includePrivateParameters: true).D!;
        Serials = new SerialNumbers(secret);
        CryptographicOperations.ZeroMemory(secret);
    }

    internal override X509SignatureGenerator Signature { get; }

    internal override HashAlgorithmName Hash => HashAlgorithmName.SHA256;

    internal override bool IsDeterministic => true;

    internal override bool IsSlow => false;

    internal override SerialNumbers Serials { get; }

    protected override void Dispose(bool isDisposing)
    {
        _key.Dispose();
        _authority.Dispose();
    }
}
