using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet.Adapter;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace Muster.Gateway.Tests.Edge;

/// <summary>Bytes over TLS, for what no decent client sends.</summary>
internal sealed class RawClient(TcpClient tcp, SslStream tls) : IAsyncDisposable
{
    private static readonly TimeSpan ReceiveTimeout = TimeSpan.FromSeconds(20);

    public static async Task<RawClient> ConnectAsync(
        DeviceEdge edge,
        X509Certificate2 certificate,
        SslProtocols protocols = SslProtocols.None,
        int? port = null,
        string source = "127.0.0.1")
    {
        var tcp = new TcpClient(new IPEndPoint(IPAddress.Parse(source), 0));
        await tcp.ConnectAsync("127.0.0.1", port ?? edge.MqttPort, TestContext.Current.CancellationToken);
        return await OverAsync(edge, certificate, tcp, protocols);
    }

    /// <summary>The handshake of a connection that is there already.</summary>
    public static async Task<RawClient> OverAsync(
        DeviceEdge edge, X509Certificate2 certificate, TcpClient tcp, SslProtocols protocols = SslProtocols.None)
    {
        var tls = new SslStream(tcp.GetStream(), false, (_, server, _, _) => edge.Pki.IsServer(server));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                ClientCertificates = [certificate],
                EnabledSslProtocols = protocols,
            },
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

    /// <summary>Whatever comes next, within a time in which it comes on the slowest machine; empty when the peer closed.</summary>
    public Task<byte[]> ReadSomeAsync() => ReadSomeAsync(ReceiveTimeout);

    public async Task<byte[]> ReadSomeAsync(TimeSpan limit)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(limit);
        var bytes = new byte[1024];
        var count = await tls.ReadAsync(bytes, timeout.Token);
        return bytes[..count];
    }

    /// <summary>One packet of less than 16 KiB; empty when the peer closed.</summary>
    public async Task<byte[]> ReceiveAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(ReceiveTimeout);
        var head = new byte[2];
        if (await tls.ReadAtLeastAsync(head, 2, throwOnEndOfStream: false, timeout.Token) < 2)
        {
            return [];
        }

        int length = head[1];
        if (length > 127)
        {
            var more = new byte[1];
            await tls.ReadExactlyAsync(more, timeout.Token);
            head = [.. head, .. more];
            length = (length & 127) + (more[0] << 7);
        }

        var body = new byte[length];
        await tls.ReadExactlyAsync(body, timeout.Token);
        return [.. head, .. body];
    }

    /// <summary>The next packet, which has to be this one, with its MQTT 5 properties.</summary>
    public async Task<TPacket> ReceiveAsync<TPacket>()
        where TPacket : MqttPacket
    {
        var bytes = await ReceiveAsync();
        Assert.NotEmpty(bytes);
        var start = bytes[1] > 127 ? 3 : 2;
        var formatter = new MqttPacketFormatterAdapter(MqttProtocolVersion.V500, new MqttBufferWriter(64, 64));
        return Assert.IsType<TPacket>(
            formatter.Decode(new ReceivedMqttPacket(bytes[0], new ArraySegment<byte>(bytes)[start..], bytes.Length)));
    }

    public async ValueTask DisposeAsync()
    {
        await tls.DisposeAsync();
        tcp.Dispose();
    }
}
