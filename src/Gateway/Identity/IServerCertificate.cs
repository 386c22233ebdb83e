using System.Net.Security;

namespace Muster.Gateway.Identity;

/// <summary>The certificate that the gateway's listeners present; asked on every handshake, so that it can be renewed.</summary>
public interface IServerCertificate
{
    SslStreamCertificateContext Context { get; }
}
