using System.Net.Sockets;
using MQTTnet;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>What one peer, or a crowd of strangers, may cost the others.</summary>
public sealed class LimitTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Publish_OfANoisyDevice_WaitsForTheGatewaysPaceAndItsNeighboursDoNot()
    {
        const int Noise = 400;
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:TotalMessagesPerSecond", "10"), ("Muster:Mqtt:MessagesPerSecond", "1000"),
            ("Muster:Mqtt:MessagesBurst", "1000"), ("Muster:Mqtt:ReceiveMax", "1000"));
        await using var noisy = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var quiet = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        var flood = Task.WhenAll(Enumerable.Range(1, Noise)
            .Select(sequence => noisy.PublishAsync(Samples.Serial, "status", Samples.Status(sequence))));
        await Eventually.TrueAsync(() => !edge.Grains.Device(Samples.Serial).Received.IsEmpty, "the noise began");

        for (var sequence = 1; sequence < DeviceSessions.QuietBurst; sequence++)
        {
            await quiet.PublishAsync(Samples.OtherSerial, "status", Samples.Status(sequence));
        }

        // The rest of the noise takes half a minute: nine messages behind it would have taken as long.
        Assert.InRange(edge.Grains.Device(Samples.Serial).Received.Count, 1, Noise / 2);
        Assert.True(noisy.IsConnected);
        Assert.False(flood.IsCompleted);
        await noisy.DisconnectAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => flood);
    }

    [Fact]
    public async Task Handshakes_AboveTheirNumber_WaitAndThoseAboveThatAreClosedUnread()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:HandshakesMax", "2"), ("Muster:Mqtt:HandshakesWaitingMax", "1"));
        using var first = await SilentAsync(edge);
        using var second = await SilentAsync(edge);
        await Task.Delay(200, Stop);
        await using var third = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        var waiting = third.ConnectAsync(Samples.Serial);
        await Task.Delay(200, Stop);
        Assert.True(await IsClosedAsync(edge));
        Assert.False(waiting.IsCompleted);

        first.Close();
        Assert.Equal(MqttClientConnectResultCode.Success, (await waiting).ResultCode);

        // An open session holds no place, on either listener.
        await using var another = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        Assert.True(another.IsConnected);
    }

    private static async Task<TcpClient> SilentAsync(DeviceEdge edge)
    {
        var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", edge.MqttPort, Stop);
        return tcp;
    }

    /// <summary>Whether one more is closed unread, also with a reset, and also before it knows that it was connected.</summary>
    private static async Task<bool> IsClosedAsync(DeviceEdge edge)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(TimeSpan.FromSeconds(8));
        try
        {
            using var tcp = await SilentAsync(edge);
            return await tcp.GetStream().ReadAsync(new byte[1], timeout.Token) == 0;
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            return true;
        }
    }
}
