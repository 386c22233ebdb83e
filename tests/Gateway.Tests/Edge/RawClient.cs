using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Bytes over TLS, for what no decent client sends.</summary>
internal sealed class RawClient(TcpClient tcp, SslStream tls) : IAsyncDisposable
{
    public static async Task<RawClient> ConnectAsync(DeviceEdge edge, X509Certificate2 certificate)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", edge.MqttPort, TestContext.Current.CancellationToken);
        var tls = new SslStream(tcp.GetStream(), false, (_, server, _, _) => edge.Pki.IsServer(server));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "localhost", ClientCertificates = [certificate] },
            TestContext.Current.CancellationToken);
        return new RawClient(tcp, tls);
    }

    /// <summary>An MQTT 5 CONNECT with Clean Start.</summary>
    public Task ConnectAsync(string clientId, byte keepAlive)
    {
        var id = Encoding.UTF8.GetBytes(clientId);
        byte[] body = [0, 4, .. "MQTT"u8, 5, 2, 0, keepAlive, 0, 0, (byte)id.Length, .. id];
        return SendAsync([0x10, (byte)body.Length, .. body]);
    }

    public async Task SendAsync(byte[] bytes)
    {
        await tls.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await tls.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>One small packet; empty when the peer closed.</summary>
    public async Task<byte[]> ReceiveAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(20));
        var head = new byte[2];
        if (await tls.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, timeout.Token) < 2)
        {
            return [];
        }

        var body = new byte[head[1]];
        await tls.ReadExactlyAsync(body, timeout.Token);
        return [.. head, .. body];
    }

    public async ValueTask DisposeAsync()
    {
        await tls.DisposeAsync();
        tcp.Dispose();
    }
}
