using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Domain;
using Muster.Gateway.Identity;
using Muster.Silo.Hosting;

namespace Muster.Silo.Pki;

/// <summary>The server certificate of an edge in the silo's own process: signed at every start, kept in memory only.</summary>
internal sealed class OwnServerCertificate : IServerCertificate
{
    /// <summary>Made anew at every start; a host that runs longer than this has other problems.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(397);

    private readonly FrozenDictionary<TenantId, SslStreamCertificateContext> _ofTenants;

    public OwnServerCertificate(HostSettings settings, TimeProvider clock)
    {
        var now = clock.GetUtcNow();
        using var servers = HostPki.OpenServers(settings.PkiFolder, now);
        Context = Issue(servers, settings.ServerNames, now);

        // Of its own: in a common certificate each tenant would read the others' names.
        _ofTenants = settings.Tenants.Entries.ToFrozenDictionary(entry => entry.Tenant, entry => Issue(servers, entry.ServerNames, now));
    }

    public SslStreamCertificateContext Context { get; }

    public SslStreamCertificateContext ContextOf(TenantId tenant) => _ofTenants.GetValueOrDefault(tenant, Context);

    private static SslStreamCertificateContext Issue(CertificateAuthority servers, IReadOnlyCollection<string> names, DateTimeOffset now)
    {
        var issued = servers.IssueServer(names, now, Lifetime);
        var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var authority = servers.CopyCertificate();
        return SslStreamCertificateContext.Create(certificate, [authority], offline: true);
    }
}
