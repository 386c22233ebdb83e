using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Muster.Cryptography.Certificates;
using Muster.Domain.Tenants;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Identity;

/// <summary>
/// TLS of the listeners for devices. The handshake proves the possession of a key and reads the identity; a certificate that
/// proves none is let through it on purpose, so that the protocol above can say why it is refused. Nothing else is.
/// </summary>
internal sealed partial class DeviceTls(
    IServerCertificate server,
    HandshakeGate gate,
    DeviceTrust makers,
    IOptions<MqttOptions> options,
    TimeProvider clock,
    ILogger<DeviceTls> logger,
    TenantDirectory? tenants = null,
    FleetTrust? fleet = null)
{
    /// <summary>In a log: as much of a peer's text as tells a wrong setting.</summary>
    private const int ServerNameShownMax = 100;

    private readonly TenantDirectory _tenants = tenants ?? TenantDirectory.OfOne;

    /// <summary>TLS for a listener, with a bound of the handshakes that all of them have at once.</summary>
    /// <param name="listen">The listener.</param>
    /// <param name="door">What it is called where doors are counted.</param>
    public void Use(ListenOptions listen, string door)
    {
        listen.Use(gate.EnterAt(door));
        listen.UseHttps(CreateOptions());
        listen.Use(HandshakeGate.Leave);
    }

    private TlsHandshakeCallbackOptions CreateOptions() => new()
    {
        HandshakeTimeout = options.Value.HandshakeTimeout,
        OnConnection = context =>
        {
            if (_tenants.Find(context.ClientHelloInfo.ServerName) is not { } tenant)
            {
                var shown = ShownText.OneLine(context.ClientHelloInfo.ServerName, ServerNameShownMax);
                LogServerNameUnknown(logger, shown);
                throw new AuthenticationException($"No tenant has the server name '{shown}'.");
            }

            var peer = new DevicePeer(tenant, makers);
            context.Connection.Items[typeof(DevicePeer)] = peer;
            return ValueTask.FromResult(CreateServerOptions(peer));
        },
    };

    private SslServerAuthenticationOptions CreateServerOptions(DevicePeer peer) => new()
    {
        ServerCertificateContext = server.ContextOf(peer.Tenant),
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,

        // A resumed session would not present its certificate again, and a tombstone has to be seen on every road. Nothing is resumed
        // either way: where it is made sure of below the runtime, the runtime may share what it keeps for sessions that it would resume.
        AllowTlsResume = TlsContexts.NeverResume,
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
        if (certificate is not X509Certificate2 presented)
        {
            LogCertificateMissing(logger);
            return false;
        }

        // A certificate keeps the answers to what it was asked, and the connection keeps what was presented: a copy is asked.
        using var leaf = new X509Certificate2(presented);

        // Whoever says that the fleet CA issued it is believed by the fleet CA only: no maker's root can speak for it.
        peer.Result = fleet?.IsIssuerOf(leaf) == true
            ? fleet.Verify(leaf, peer.Tenant, clock.GetUtcNow())
            : makers.Verify(peer.Tenant, leaf, chain?.ChainPolicy.ExtraStore);
        Release(chain, presented);
        return true;
    }

    /// <summary>The identity is read. Where there is a callback the runtime leaves what it made of the chain to the finalizer.</summary>
    private static void Release(X509Chain? chain, X509Certificate2 presented)
    {
        var made = chain?.ChainPolicy.ExtraStore.Concat(chain.ChainElements.Select(element => element.Certificate)) ?? [];
        foreach (var certificate in made.Where(certificate => !ReferenceEquals(certificate, presented)))
        {
            certificate.Dispose();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "TLS refused: CERTIFICATE_MISSING, the client presented no certificate")]
    private static partial void LogCertificateMissing(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "TLS refused: no tenant has the server name '{ServerName}'")]
    private static partial void LogServerNameUnknown(ILogger logger, string serverName);
}
