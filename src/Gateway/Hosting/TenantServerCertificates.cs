using System.Collections.Frozen;
using System.Net.Security;
using Muster.Domain;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Hosting;

/// <summary>
/// The gateway's server certificate, and those of tenants that have one of their own: <c>tenants/TENANT/server.pem</c> and
/// <c>server.key</c> in the same folder. The names of the others stand in the common one.
/// </summary>
internal sealed class TenantServerCertificates : IServerCertificate
{
    public const string Folder = "tenants";

    private readonly FolderServerCertificate _common;
    private readonly FrozenDictionary<TenantId, FolderServerCertificate> _ofTenants;

    public TenantServerCertificates(InstallationSettings settings, TimeProvider clock, ILogger<FolderServerCertificate> logger)
    {
        _common = new FolderServerCertificate(settings.PkiFolder, clock, logger);
        _ofTenants = settings.Tenants.Tenants
            .Select(tenant => (Tenant: tenant, Folder: Path.Combine(settings.PkiFolder, Folder, tenant.Value)))
            .Where(one => Directory.Exists(one.Folder))
            .ToFrozenDictionary(one => one.Tenant, one => new FolderServerCertificate(one.Folder, clock, logger));
    }

    public SslStreamCertificateContext Context => _common.Context;

    public SslStreamCertificateContext ContextOf(TenantId tenant) =>
        _ofTenants.TryGetValue(tenant, out var own) ? own.Context : _common.Context;
}
