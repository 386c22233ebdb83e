using System.Net.Security;
using Muster.Domain;

namespace Muster.Gateway.Identity;

/// <summary>The certificate that the gateway's listeners present; asked on every handshake, so that it can be renewed.</summary>
public interface IServerCertificate
{
    SslStreamCertificateContext Context { get; }

    /// <summary>What a tenant's devices are shown; the same for all, unless the tenant has one of its own.</summary>
    SslStreamCertificateContext ContextOf(TenantId tenant) => Context;
}
