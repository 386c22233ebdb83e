using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Grpc;

/// <summary>
/// TLS of the operators' listener. Only a client certificate under the operators' CA gets through the handshake; no other store of
/// trust is asked, so that a device's certificate is worth nothing here.
/// </summary>
internal sealed partial class OperatorTls(
    IServerCertificate server, IOptions<OperatorsOptions> options, TimeProvider clock, ILogger<OperatorTls> logger)
{
    /// <summary>The operators' CA in the folder of the CAs.</summary>
    public const string AuthorityFile = "operators-ca.pem";

    /// <summary>People sit behind good lines; a socket that stays silent is not kept longer.</summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    // Read at the first connection: the host makes the CA at its first start, after the services are built.
    private readonly Lazy<OperatorCertificateVerifier> _verifier = new(() => new OperatorCertificateVerifier(
        TrustStore.FromPem(File.ReadAllText(Path.Combine(options.Value.PkiDirectory, AuthorityFile)))));

    public static OperatorCertificate? PeerOf(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>() is { } feature
        && feature.Items.TryGetValue(typeof(OperatorCertificate), out var peer)
            ? peer as OperatorCertificate
            : null;

    public TlsHandshakeCallbackOptions CreateOptions() => new()
    {
        HandshakeTimeout = HandshakeTimeout,
        OnConnection = context => ValueTask.FromResult(CreateServerOptions(context.Connection.Items)),
    };

    private SslServerAuthenticationOptions CreateServerOptions(IDictionary<object, object?> items) => new()
    {
        ServerCertificateContext = server.Context,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2],

        // A resumed session would not present its certificate again.
        AllowTlsResume = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,

        // The verifier builds the chain itself; the platform must neither trust its own roots nor download anything.
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
        },
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Validate(items, certificate),
    };

    private bool Validate(IDictionary<object, object?> items, X509Certificate? certificate)
    {
        var (peer, error) = _verifier.Value.Verify(certificate as X509Certificate2, clock.GetUtcNow());
        if (peer is null)
        {
            LogRefused(logger, error?.Reason ?? "");
            return false;
        }

        items[typeof(OperatorCertificate)] = peer;
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "TLS refused on the operators' listener: {Reason}")]
    private static partial void LogRefused(ILogger logger, string reason);
}
