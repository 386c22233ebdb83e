using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace Muster.Cluster.Tests;

/// <summary>The administrator's connection to one gateway, past the balancer.</summary>
internal static class GatewayChannel
{
    public static GrpcChannel Open(ClusterSite site, int gateway)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(site.Profile, "server-ca.pem")));
        var identity = X509Certificate2.CreateFromPemFile(
            Path.Combine(site.Profile, "operator.pem"), Path.Combine(site.Profile, "operator.key"));
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [identity], CertificateChainPolicy = policy },
        };
        var address = string.Create(CultureInfo.InvariantCulture, $"https://localhost:{site.GrpcPorts[gateway]}");
        return GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }
}
