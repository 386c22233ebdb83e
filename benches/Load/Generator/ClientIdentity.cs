using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Load.Generator;

/// <summary>What a device of the generator shows in a handshake, and whom it believes.</summary>
internal static class ClientIdentity
{
    public static X509ChainPolicy Trust(string serverCaFile)
    {
        var trust = new X509Certificate2Collection();
        trust.ImportFromPemFile(serverCaFile);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trust);
        return policy;
    }

    public static SslClientAuthenticationOptions Read(string folder, string device, X509ChainPolicy trust)
    {
        // Not disposed: the context uses it as long as the process runs.
        var certificate = X509Certificate2.CreateFromPemFile(
            Path.Combine(folder, device + ".pem"), Path.Combine(folder, device + ".key"));
        return new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
            CertificateChainPolicy = trust,
        };
    }

    /// <summary>All at once, so that reading keys is not measured as a handshake.</summary>
    public static SslClientAuthenticationOptions[] ReadAll(string folder, string[] devices, string serverCaFile)
    {
        var trust = Trust(serverCaFile);
        return [.. devices.AsParallel().AsOrdered().Select(device => Read(folder, device, trust))];
    }
}
