using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Muster.Cryptography.Certificates;
using Muster.Domain;

namespace Muster.Gateway.Identity;

/// <summary>
/// TLS of the listeners for devices. The handshake proves the possession of a key and reads the identity; a certificate that
/// proves none is let through it on purpose, so that the protocol above can say why it is refused. Nothing else is.
/// </summary>
internal sealed partial class DeviceTls(
    IServerCertificate server,
    HandshakeGate gate,
    DeviceIdentityVerifier makers,
    TimeProvider clock,
    ILogger<DeviceTls> logger,
    FleetTrust? fleet = null)
{
    /// <summary>A device behind a slow radio link needs a few round trips; an idle socket is not kept longer.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>TLS for a listener, with a bound of the handshakes that all of them have at once.</summary>
    public void Use(ListenOptions listen)
    {
        listen.Use(gate.Enter);
        listen.UseHttps(CreateOptions());
        listen.Use(HandshakeGate.Leave);
    }

    private TlsHandshakeCallbackOptions CreateOptions() => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = context =>
        {
            var peer = new DevicePeer(TenantId.Default);
            context.Connection.Items[typeof(DevicePeer)] = peer;
            return ValueTask.FromResult(CreateServerOptions(peer));
        },
    };

    private SslServerAuthenticationOptions CreateServerOptions(DevicePeer peer) => new()
    {
        ServerCertificateContext = server.Context,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,

        // A resumed session would not present its certificate again, and a tombstone has to be seen on every road.
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,

        // The verifier builds the chain itself; the platform must neither trust its own roots nor download anything.
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
        },
        RemoteCertificateValidationCallback = (_, certificate, chain, _) => Validate(peer, certificate, chain),
    };

    private bool Validate(DevicePeer peer, X509Certificate? certificate, X509Chain? chain)
    {
        if (certificate is not X509Certificate2 leaf)
        {
            LogCertificateMissing(logger);
            return false;
        }

        // Whoever says that the fleet CA issued it is believed by the fleet CA only: no maker's root can speak for it.
        peer.Result = fleet?.IsIssuerOf(leaf) == true
            ? fleet.Verify(leaf, peer.Tenant, clock.GetUtcNow())
            : makers.Verify(leaf, chain?.ChainPolicy.ExtraStore, clock.GetUtcNow());
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "TLS refused: CERTIFICATE_MISSING, the client presented no certificate")]
    private static partial void LogCertificateMissing(ILogger logger);
}
