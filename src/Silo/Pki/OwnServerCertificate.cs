using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Muster.Gateway.Identity;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>The server certificate of an edge in the silo's own process: signed at every start, kept in memory only.</summary>
internal sealed class OwnServerCertificate : IServerCertificate
{
    /// <summary>Made anew at every start; a host that runs longer than this has other problems.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(397);

    public OwnServerCertificate(HostSettings settings, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        using var servers = HostPki.OpenServers(settings.PkiFolder, now);
        var issued = servers.IssueServer(settings.ServerNames, now, Lifetime);
        var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var authority = servers.CopyCertificate();
        Context = SslStreamCertificateContext.Create(certificate, [authority], offline: true);
    }

    public SslStreamCertificateContext Context { get; }
}
