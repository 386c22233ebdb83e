using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace Muster.Scenarios.Tests;

/// <summary>The administrator's connection to the API.</summary>
internal static class OperatorChannel
{
    public static GrpcChannel Open(OneProcess muster)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(muster.Profile, "server-ca.pem")));
        var identity = X509Certificate2.CreateFromPemFile(
            Path.Combine(muster.Profile, "operator.pem"), Path.Combine(muster.Profile, "operator.key"));
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [identity], CertificateChainPolicy = policy },
        };
        return GrpcChannel.ForAddress(
            $"https://localhost:{muster.GrpcPort}", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }
}
