using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.Tls;
using Org.BouncyCastle.Tls.Crypto;
using Org.BouncyCastle.Tls.Crypto.Impl.BC;
using AskedCertificate = Org.BouncyCastle.Tls.CertificateRequest;

namespace Muster.Gateway.Tests.Edge;

/// <summary>
/// A TLS client that shows any certificate and signs with any key: SslStream and openssl refuse to begin when the two are not a pair.
/// Blocking, as its library is.
/// </summary>
internal sealed class CopyingClient(X509Certificate2 shown, ECDsa key, bool isVersion13) : DefaultTlsClient(new BcTlsCrypto())
{
    /// <summary>The answer to these bytes; what it throws says how the handshake ended.</summary>
    public byte[] Ask(int port, byte[] bytes)
    {
        using var tcp = new TcpClient("127.0.0.1", port);
        var protocol = new TlsClientProtocol(tcp.GetStream());
        protocol.Connect(this);
        protocol.Stream.Write(bytes);
        var answer = new byte[1024];
        return answer[..protocol.Stream.Read(answer)];
    }

    public override TlsAuthentication GetAuthentication() => new Authentication(this);

    protected override ProtocolVersion[] GetSupportedVersions() =>
        (isVersion13 ? ProtocolVersion.TLSv13 : ProtocolVersion.TLSv12).Only();

    private BcDefaultTlsCredentialedSigner Sign(AskedCertificate request)
    {
        var certificate = Crypto.CreateCertificate(shown.RawData);
        var chain = isVersion13
            ? new Certificate(request.GetCertificateRequestContext(), [new CertificateEntry(certificate, null)])
            : new Certificate([certificate]);
        var own = PrivateKeyFactory.CreateKey(key.ExportPkcs8PrivateKey());
        return new BcDefaultTlsCredentialedSigner(
            new TlsCryptoParameters(m_context),
            (BcTlsCrypto)Crypto,
            own,
            chain,
            SignatureAndHashAlgorithm.GetInstance(Org.BouncyCastle.Tls.HashAlgorithm.sha256, SignatureAlgorithm.ecdsa));
    }

    private sealed class Authentication(CopyingClient client) : TlsAuthentication
    {
        /// <summary>Who the server is does not matter here.</summary>
        public void NotifyServerCertificate(TlsServerCertificate serverCertificate)
        {
        }

        public TlsCredentials GetClientCredentials(AskedCertificate certificateRequest) => client.Sign(certificateRequest);
    }
}
