using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;

namespace Muster.Silo.Hosting;

/// <summary>
/// The installation's own CAs, made at the first start with keys of mode 0600: one signs the servers' certificates, the other
/// the operators'. They never sign for each other's listeners (design D8).
/// </summary>
internal sealed class HostPki : IServerCertificate, IDisposable
{
    /// <summary>A CA outlives its operators' and servers' certificates many times.</summary>
    private static readonly TimeSpan AuthorityLifetime = TimeSpan.FromDays(3650);

    /// <summary>Made anew at every start; a host that runs longer than this has other problems.</summary>
    private static readonly TimeSpan ServerLifetime = TimeSpan.FromDays(397);

    private readonly CertificateAuthority _servers;

    private HostPki(CertificateAuthority servers, CertificateAuthority operators, SslStreamCertificateContext context)
    {
        _servers = servers;
        Operators = operators;
        Context = context;
    }

    public SslStreamCertificateContext Context { get; }

    public CertificateAuthority Operators { get; }

    /// <summary>The CA that servers' certificates chain to, PEM.</summary>
    public string ServerAuthorityPem => _servers.CertificatePem;

    public static HostPki LoadOrCreate(HostSettings settings, DateTimeOffset now)
    {
        var servers = CertificateAuthority.LoadOrCreate(settings.PkiFolder, "server-ca", "Muster server CA", now, AuthorityLifetime);
        var operators = CertificateAuthority.LoadOrCreate(
            settings.PkiFolder, "operators-ca", "Muster operators CA", now, AuthorityLifetime);
        var issued = servers.IssueServer(settings.ServerNames, now, ServerLifetime);
        var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var authority = servers.CopyCertificate();
        return new HostPki(servers, operators, SslStreamCertificateContext.Create(certificate, [authority], offline: true));
    }

    public void Dispose()
    {
        _servers.Dispose();
        Operators.Dispose();
    }
}
