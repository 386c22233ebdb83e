using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Cryptography.Certificates;
using Muster.Gateway.Tests.Edge;
using Org.BouncyCastle.Tls;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>What a forger shows in the handshake of the real listeners.</summary>
public sealed class ForgedHandshakeTests
{
    private const byte ConnAck = 0x20;

    /// <summary>Of what a server may say to a signature by another key (RFC 8446 4.4.3).</summary>
    private const short DecryptError = 51;

    /// <summary>With its own key the same client is let in, so that it is the key that keeps it out.</summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Certificate_OfAnotherDevice_IsWorthNothingWithoutItsKey(bool hasItsKey, bool isVersion13)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        using var key = hasItsKey ? certificate.GetECDsaPrivateKey()! : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var client = new CopyingClient(certificate, key, isVersion13);
        var connect = RawPackets.Connect(Samples.Serial, []);
        var answer = Task.Run(() => client.Ask(edge.MqttPort, connect), TestContext.Current.CancellationToken);

        if (hasItsKey)
        {
            Assert.Equal(ConnAck, (await answer)[0]);
            Assert.Single(edge.Grains.Device(Samples.Serial).Admitted);
            return;
        }

        var refused = await Assert.ThrowsAnyAsync<TlsFatalAlertReceived>(() => answer);
        Assert.Equal(DecryptError, refused.AlertDescription);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    /// <summary>As much as the TLS library reads gets its reason; more ends in the handshake. Both cost the next one nothing.</summary>
    [Theory]
    [InlineData(DeviceIdentityVerifier.CertificateBytesMax)]
    [InlineData(200_000)]
    public async Task Certificate_ThatIsHuge_IsRefused(int bytes)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.IssueHuge(Samples.Serial, bytes);

        if (bytes < 100_000)
        {
            await using var client = await RawClient.ConnectAsync(edge, certificate);
            await client.ConnectAsync(Samples.Serial, keepAlive: 60);
            var refusal = await client.ReceiveAsync<MqttConnAckPacket>();
            Assert.Equal(MqttConnectReasonCode.NotAuthorized, refusal.ReasonCode);
            Assert.StartsWith("CERTIFICATE_NOT_A_DEVICE_IDENTITY", refusal.ReasonString, StringComparison.Ordinal);
        }
        else
        {
            // TLS 1.3 tells the client with its first read.
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                await using var client = await RawClient.ConnectAsync(edge, certificate);
                await client.ConnectAsync(Samples.Serial, keepAlive: 60);
                Assert.NotEmpty(await client.ReceiveAsync());
            });
        }

        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);
        Assert.True(device.IsConnected);
    }
}
