using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Muster.Scenarios.Tests.BadInput;

/// <summary>Bytes over TLS, for what no decent client sends.</summary>
internal sealed class RawLine(TcpClient tcp, SslStream tls) : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>Sends exactly these intermediates in the handshake.</summary>
    public static async Task<RawLine> ConnectAsync(
        BadInputSite site, X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", site.MqttPort, TestContext.Current.CancellationToken);
        var tls = new SslStream(tcp.GetStream());
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ClientCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),
            CertificateChainPolicy = site.ServerTrust(),
        };
        await tls.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
        return new RawLine(tcp, tls);
    }

    /// <summary>A CONNECT with Clean Start; version 5, or 4 for MQTT 3.1.1.</summary>
    public Task SendConnectAsync(string clientId, byte version)
    {
        var id = Encoding.UTF8.GetBytes(clientId);
        byte[] properties = version == 5 ? [0] : [];
        byte[] body = [0, 4, .. "MQTT"u8, version, 2, 0, 60, .. properties, 0, (byte)id.Length, .. id];
        return SendAsync([0x10, (byte)body.Length, .. body]);
    }

    /// <summary>A PUBLISH with QoS 1 whatever its size.</summary>
    public Task SendPublishAsync(string topic, byte[] payload, byte version)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        byte[] properties = version == 5 ? [0] : [];
        byte[] body = [0, (byte)name.Length, .. name, 0, 1, .. properties, .. payload];
        var length = body.Length;
        byte[] encoded = [(byte)((length & 0x7F) | 0x80), (byte)(((length >> 7) & 0x7F) | 0x80), (byte)((length >> 14) & 0x7F)];
        return SendLossyAsync([0x32, .. encoded, .. body]);
    }

    public async Task SendAsync(byte[] bytes)
    {
        await tls.WriteAsync(bytes, TestContext.Current.CancellationToken);
        await tls.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Sends as much as the peer takes: it may close in the middle.</summary>
    public async Task SendLossyAsync(byte[] bytes)
    {
        try
        {
            await SendAsync(bytes);
        }
        catch (IOException)
        {
            // What it said before is still to be read.
        }
    }

    /// <summary>One small packet.</summary>
    public async Task<byte[]> ReceiveAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(Timeout);
        var head = new byte[2];
        await tls.ReadExactlyAsync(head, timeout.Token);
        int length = head[1];
        if (length >= 0x80)
        {
            var second = new byte[1];
            await tls.ReadExactlyAsync(second, timeout.Token);
            length = (length & 0x7F) | (second[0] << 7);
        }

        var body = new byte[length];
        await tls.ReadExactlyAsync(body, timeout.Token);
        return [.. head, .. body];
    }

    /// <summary>Everything until the peer closes: as text, and header and reason of its DISCONNECT, zeros without one.</summary>
    public async Task<(string Text, (int Header, int Code) Disconnect)> ReadToEndAsync()
    {
        var text = new StringBuilder();
        try
        {
            while (true)
            {
                var packet = await ReceiveAsync();
                text.AppendLine(Encoding.UTF8.GetString(packet));
                if (packet[0] == 0xE0)
                {
                    return (text.ToString(), (packet[0], packet[2]));
                }
            }
        }
        catch (IOException)
        {
            return (text.ToString(), (0, 0));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await tls.DisposeAsync();
        tcp.Dispose();
    }
}
