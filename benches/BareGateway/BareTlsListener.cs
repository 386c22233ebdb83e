using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Muster.Cryptography.Certificates;

namespace Muster.BareGateway;

/// <summary>
/// A listener of the same runtime that does what the product's handshake does (TLS 1.2 or 1.3, a client certificate whose chain ends in the
/// vendor's root, no resumption), with the runtime's own check of the chain, and no bound of handshakes.
/// </summary>
internal sealed class BareTlsListener(ListenerCertificate certificate, TrustStore vendor)
{
    /// <summary>MQTT 5: accepted, no session, no properties.</summary>
    private static readonly byte[] s_connAck = [0x20, 3, 0, 0, 0];

    /// <summary>In a storm all handshakes are under way at once, and each waits for all the others.</summary>
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromMinutes(5);

    public void Use(KestrelServerOptions kestrel, int port) => kestrel.Listen(IPAddress.Loopback, port, listen =>
    {
        listen.Protocols = HttpProtocols.None;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = HandshakeTimeout,
            OnConnection = _ => ValueTask.FromResult(CreateOptions()),
        });
        listen.Run(AnswerAsync);
    });

    private SslServerAuthenticationOptions CreateOptions()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.AddRange(vendor.Certificates.Where(one => one.SubjectName.Name == one.IssuerName.Name).ToArray());
        policy.ExtraStore.AddRange(vendor.Certificates.ToArray());
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate.Context,
            ClientCertificateRequired = true,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowTlsResume = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = policy,
        };
    }

    /// <summary>Whatever comes first is a CONNECT; whatever comes then is not looked at.</summary>
    private static async Task AnswerAsync(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        for (var isFirst = true; ; isFirst = false)
        {
            var read = await input.ReadAsync();
            if (read.IsCompleted || read.IsCanceled)
            {
                return;
            }

            input.AdvanceTo(read.Buffer.End);
            if (isFirst)
            {
                await output.WriteAsync(s_connAck);
            }
        }
    }
}
