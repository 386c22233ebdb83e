using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MQTTnet;
using Muster.Gateway.Identity;
using Muster.Gateway.Images;
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
        using var away = new TurnedAwayCounts(edge);
        using var first = await SilentAsync(edge);
        using var second = await SilentAsync(edge);
        await Task.Delay(200, Stop);
        await using var third = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        var waiting = third.ConnectAsync(Samples.Serial);
        await Task.Delay(200, Stop);
        Assert.True(await IsClosedAsync(edge.MqttPort));
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, away.Of("mqtt", "no-place"));
        Assert.Equal(
            (2L, 1L, 1L),
            (away.Gauge("muster_door_handshakes"), away.Gauge("muster_door_waiting"), away.Gauge("muster_door_networks")));
        Assert.Equal(2, away.Waits("mqtt").Length);

        first.Close();
        Assert.Equal(MqttClientConnectResultCode.Success, (await waiting).ResultCode);
        var waits = away.Waits("mqtt");
        Assert.Equal(away.Begun, waits.Length);
        Assert.True(waits.Max() > 0.2, "One of them waited for another to close.");
        Assert.Equal(0, away.Gauge("muster_door_waiting"));

        // An open session holds no place, on either listener.
        await using var another = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        Assert.True(another.IsConnected);
    }

    /// <summary>One host that begins handshakes and ends none keeps nobody else out, and holds up only itself.</summary>
    [Fact]
    public async Task Handshakes_OfOneAddress_HaveAShareOfThem()
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "3"), ("Muster:Mqtt:HandshakesPerSourceMax", "2"), ("Muster:Mqtt:ConnectTimeout", "00:01:00"));
        var stalled = new List<TcpClient>();
        for (var i = 0; i < 5; i++)
        {
            stalled.Add(await SilentAsync(edge, source: "127.0.0.2"));
        }

        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var another = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        Assert.True(device.IsConnected && another.IsConnected);
        Assert.All(stalled, tcp => Assert.True(IsOpen(tcp)));
        foreach (var tcp in stalled)
        {
            tcp.Dispose();
        }

        // Of those that are over nothing is kept.
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.Serial);
        Assert.True(neighbour.IsConnected);
    }

    /// <summary>They wait for silos that have enough to do, but not for ever: one that hangs keeps nobody out.</summary>
    [Fact]
    public async Task Handshakes_WhileNoAnswersCome_BeginOneByOneAllTheSame()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:CallsBusyMax", "2"));
        var calls = edge.Services.GetRequiredService<DeviceCalls>();
        for (var i = 0; i < 3; i++)
        {
            calls.Begin();
        }

        Assert.True(calls.AreMany);
        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var another = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        Assert.True(device.IsConnected && another.IsConnected);
        await device.DisconnectAsync();
        await Eventually.TrueAsync(() => !edge.Grains.Device(Samples.Serial).Disconnected.IsEmpty, "the grain that hears of the end");
        calls.End();
        Assert.False(calls.AreMany);
    }

    /// <summary>One goodbye at a time: while the first is not answered, the second device comes back, and its end is old news.</summary>
    [Fact]
    public async Task Goodbye_OfADeviceThatIsBackMeanwhile_IsNotSaid()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:CallsBusyMax", "2"));
        var (first, second) = (edge.Grains.Device(Samples.Serial), edge.Grains.Device(Samples.OtherSerial));
        first.Goodbye = new TaskCompletionSource();
        await using var gone = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var away = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        await gone.DisconnectAsync();
        await Eventually.TrueAsync(() => !first.Disconnected.IsEmpty, "the first goodbye");
        await away.DisconnectAsync();

        await using var back = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        first.Goodbye.SetResult();
        await using var again = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await again.DisconnectAsync();
        await Eventually.TrueAsync(() => first.Disconnected.Count == 2, "the goodbye behind the one that was not said");

        Assert.Empty(second.Disconnected);
        await back.DisconnectAsync();
        await Eventually.TrueAsync(() => !second.Disconnected.IsEmpty, "the end of the newer session");
        Assert.Equal(second.Epoch, Assert.Single(second.Disconnected).Epoch);
    }

    [Fact]
    public async Task PubAcks_OfWhatWasNeverSent_CostTheDeviceItsPace()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:MessagesPerSecond", "10"), ("Muster:Mqtt:MessagesBurst", "5"));
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);
        await client.ConnectAsync(Samples.Serial, keepAlive: 60);
        await client.ReceiveAsync();
        var clock = System.Diagnostics.Stopwatch.StartNew();

        await client.SendAsync([.. Enumerable.Range(1, 25).SelectMany(id => RawPackets.PubAck((ushort)id)), .. RawPackets.PingReq]);

        Assert.Equal([0xD0, 0], await client.ReceiveAsync());
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1.8), $"Twenty packets above the burst passed in {clock.Elapsed}.");
    }

    /// <summary>Half of a CONNECT of 8 KiB: of a stranger's not even its rest is waited for.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_ThatIsLong_IsReadOfDevicesOnly(bool isTrusted)
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:ConnectTimeout", "00:01:00"));
        using var certificate = isTrusted ? edge.Pki.Issue(Samples.Serial) : TestPki.IssueUntrusted(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync([0x10, 0x80, 0x40, .. new byte[4_000]]);
        var received = client.ReceiveAsync();

        if (isTrusted)
        {
            await client.SendAsync(new byte[4_192]);
        }

        // Both are ended: one because its packet is none, the other before it was whole.
        Assert.Empty(await received);
    }

    [Fact]
    public async Task Https_AboveItsConnections_IsClosedBeforeTheHandshake_AndStrangersDoNotStay()
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:DeviceHttps:ConnectionsMax", "1"), ("Muster:DeviceHttps:StrangerTimeout", "00:00:01"));
        using var away = new TurnedAwayCounts(edge);
        using var certificate = TestPki.IssueUntrusted(Samples.Serial);
        await using var stranger = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        using var device = edge.Pki.Issue(Samples.Serial);
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        await Eventually.TrueAsync(() => gate.Running == 1, "the stranger, who keeps his place");

        // Not a byte was said: it is no handshake that ends.
        Assert.True(await IsClosedAsync(edge.HttpsPort));
        Assert.Equal((1, 0), (away.Of("https", "full"), away.Of("https", "full-behind-handshake")));
        Assert.Equal(1, away.Begun);

        // It says nothing, and a device has its place soon.
        await Assert.ThrowsAnyAsync<IOException>(stranger.ReceiveAsync);
        await Eventually.TrueAsync(() => gate.Running == 0, "the end of the stranger");
        await using var known = await RawClient.ConnectAsync(edge, device, port: edge.HttpsPort);
        await AskAsync(known);
    }

    /// <summary>Whatever it asked for, also what is not there: one answer, and the connection ends with it.</summary>
    [Theory]
    [InlineData("GET /v1/images/none", "HTTP/1.1 403")]
    [InlineData("GET /.well-known/est/cacerts", "HTTP/1.1 403")]
    [InlineData("GET /nothing", "HTTP/1.1 404")]
    public async Task Https_OfAStranger_EndsWithTheAnswer_AndADevicesGoesOn(string request, string answer)
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:DeviceHttps:StrangerTimeout", "00:01:00"), ("Muster:Mqtt:HandshakeTimeout", "00:01:00"));
        using var away = new TurnedAwayCounts(edge);
        var bytes = Encoding.ASCII.GetBytes($"{request} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using var untrusted = TestPki.IssueUntrusted(Samples.Serial);
        await using var stranger = await RawClient.ConnectAsync(edge, untrusted, port: edge.HttpsPort);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var device = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);

        await stranger.SendAsync(bytes);
        Assert.StartsWith(answer, await ReadToTheEndAsync(stranger), StringComparison.Ordinal);

        // Ended by the gateway, and its place is free; the device's is not ended.
        Assert.Equal(answer.EndsWith("403", StringComparison.Ordinal) ? 1 : 0, away.Refused("CERTIFICATE_UNTRUSTED"));
        await AskAsync(device);
        await AskAsync(device);
    }

    /// <summary>Two that were in front of the handshake at once while there was one place: it is counted behind it too.</summary>
    [Fact]
    public async Task Https_WithHandshakesUnderWayAboveItsConnections_ClosesOneBehindIts()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:DeviceHttps:ConnectionsMax", "1"));
        using var away = new TurnedAwayCounts(edge);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        using var late = await SilentAsync(edge.HttpsPort);
        await Eventually.TrueAsync(() => gate.Running == 1, "the one that does not begin yet");
        await using var first = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        await AskAsync(first);

        await using var second = await RawClient.OverAsync(edge, certificate, late);

        Assert.Empty(await second.ReadSomeAsync());
        Assert.Equal((0, 1), (away.Of("https", "full"), away.Of("https", "full-behind-handshake")));
    }

    [Fact]
    public async Task Https_OfOneDevice_HasAFewConnectionsAndAPace()
    {
        const int Burst = 50;
        await using var edge = await DeviceEdge.StartAsync();
        using var away = new TurnedAwayCounts(edge);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        var open = new List<RawClient>();
        for (var i = 0; i < DevicePlaces.ConnectionsMax; i++)
        {
            open.Add(await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort));
            await AskAsync(open[^1]);
        }

        await using var more = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        Assert.Empty(await more.ReadSomeAsync());
        Assert.Equal(1, away.Of("https", "device-full"));
        using var others = edge.Pki.Issue(Samples.OtherSerial);
        await using var other = await RawClient.ConnectAsync(edge, others, port: edge.HttpsPort);
        await AskAsync(other);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < Burst + 20; i++)
        {
            await AskAsync(open[i % open.Count]);
        }

        // Less what was saved while the connections were made.
        Assert.True(clock.Elapsed >= TimeSpan.FromSeconds(1), $"Twenty requests above the burst passed in {clock.Elapsed}.");
        foreach (var client in open)
        {
            await client.DisposeAsync();
        }

        await using var again = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        await AskAsync(again);
    }

    [Fact]
    public async Task Transport_KeepsLittleOfWhatNobodyReads()
    {
        await using var edge = await DeviceEdge.StartAsync();

        var kept = edge.Services.GetRequiredService<IOptions<SocketTransportOptions>>().Value.MaxReadBufferSize;

        // For each socket that waits for its handshake; without a bound of its own it is a megabyte.
        Assert.InRange(kept ?? long.MaxValue, 4 * 1024, 64 * 1024);
    }

    private static async Task AskAsync(RawClient client)
    {
        await client.SendAsync("HEAD /v1/images/none HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 400", Encoding.ASCII.GetString(await client.ReadSomeAsync()), StringComparison.Ordinal);
    }

    private static async Task<string> ReadToTheEndAsync(RawClient client)
    {
        var text = new StringBuilder();
        while (await client.ReadSomeAsync() is { Length: > 0 } bytes)
        {
            text.Append(Encoding.ASCII.GetString(bytes));
        }

        return text.ToString();
    }

    private static bool IsOpen(TcpClient tcp) => !tcp.Client.Poll(0, SelectMode.SelectRead);

    private static Task<TcpClient> SilentAsync(DeviceEdge edge, string source = "127.0.0.1") => SilentAsync(edge.MqttPort, source);

    private static async Task<TcpClient> SilentAsync(int port, string source = "127.0.0.1")
    {
        var tcp = new TcpClient(new IPEndPoint(IPAddress.Parse(source), 0));
        await tcp.ConnectAsync("127.0.0.1", port, Stop);
        return tcp;
    }

    /// <summary>Whether one more is closed unread, also with a reset, and also before it knows that it was connected.</summary>
    private static async Task<bool> IsClosedAsync(int port)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        timeout.CancelAfter(TimeSpan.FromSeconds(8));
        try
        {
            using var tcp = await SilentAsync(port);
            return await tcp.GetStream().ReadAsync(new byte[1], timeout.Token) == 0;
        }
        catch (Exception fault) when (fault is IOException or SocketException)
        {
            return true;
        }
    }
}
