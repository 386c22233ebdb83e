using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;

namespace Muster.BareGateway;

/// <summary>The kind of certificate that the product makes for itself; the CA is written where the generator reads it.</summary>
internal sealed class ListenerCertificate(SslStreamCertificateContext context) : IServerCertificate
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(1);

    public SslStreamCertificateContext Context { get; } = context;

    public static ListenerCertificate Create(string folder, DateTimeOffset now)
    {
        using var authority = CertificateAuthority.Create("Bare gateway CA", now, Lifetime);
        var issued = authority.IssueServer(["localhost", "127.0.0.1"], now, Lifetime);
        File.WriteAllText(Path.Combine(folder, "server-ca.pem"), authority.CertificatePem);
        var certificate = X509Certificate2.CreateFromPem(issued.CertificatePem, issued.KeyPem);
        using var issuer = authority.CopyCertificate();
        return new ListenerCertificate(SslStreamCertificateContext.Create(certificate, [issuer], offline: true));
    }
}
