using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Muster.Cryptography.Certificates;
using Muster.Domain.Tenants;
using Muster.Gateway.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>One host that has nothing but an address, and opens what it can: the others' doors stay open.</summary>
public sealed class SilentSocketsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Doors_WhileOneHostFillsOneOfThemWithSilence_AreOpenToOthers(bool atHttps)
    {
        const int Share = 2;
        const int Waiting = 4;
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "4"), ("Muster:Mqtt:HandshakesPerSourceMax", $"{Share}"),
            ("Muster:Mqtt:HandshakesWaitingMax", $"{Waiting}"), ("Muster:Mqtt:CallsBusyMax", "1"),
            ("Muster:DeviceHttps:ConnectionsMax", "2"));
        using var host = new SilentHost(atHttps ? edge.HttpsPort : edge.MqttPort);
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        await host.FillAsync(() => host.Open >= Share + Waiting && gate.Waiting == Waiting);

        // The gateway has enough to do: nobody gets in without a place for waiting.
        var calls = edge.Services.GetRequiredService<DeviceCalls>();
        calls.Begin();
        calls.Begin();
        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);
        using var certificate = edge.Pki.Issue(Samples.OtherSerial);
        await using var https = await RawClient.ConnectAsync(edge, certificate, port: edge.HttpsPort);
        await https.SendAsync("HEAD /v1/images/none HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());

        Assert.StartsWith("HTTP/1.1 400", Encoding.ASCII.GetString(await https.ReadSomeAsync()), StringComparison.Ordinal);
        Assert.True(device.IsConnected);
    }

    /// <summary>A site behind one address has all places for waiting, as long as nobody else wants one.</summary>
    [Fact]
    public async Task Devices_OfOneAddressWhoComeAllAtOnce_AreAllLetIn()
    {
        const int Devices = 40;
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "4"), ("Muster:Mqtt:HandshakesPerSourceMax", "2"),
            ("Muster:Mqtt:HandshakesWaitingMax", $"{Devices}"));
        using var certificate = edge.Pki.Issue(Samples.Serial);

        var clients = await Task.WhenAll(Enumerable.Range(0, Devices).Select(_ => RawClient.ConnectAsync(edge, certificate)));

        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        Assert.Equal(0, gate.Waiting);
    }

    /// <summary>The one that waits is closed while the handshake that it waits for has not ended, which is ended too, later.</summary>
    [Fact]
    public async Task Socket_ThatWaitsForItsHandshake_IsClosedAfterATime()
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "1"), ("Muster:Mqtt:HandshakeWaitTimeout", "00:00:01"));
        using var host = new SilentHost(edge.MqttPort);
        var (one, another) = (await host.OpenAsync(), await host.OpenAsync());
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        await Eventually.TrueAsync(() => gate.Waiting == 1, "one of the two, who waits for the other");

        Task[] ends = [ReadToTheEndAsync(one), ReadToTheEndAsync(another)];
        await Task.WhenAny(ends);

        Assert.Contains(ends, end => !end.IsCompleted);
        await Task.WhenAll(ends);
    }

    /// <summary>A certificate that anybody can make opens no more connections than silence does.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Strangers_WhoAreThroughTheirHandshake_HaveTheShareOfTheirAddressStill(bool atHttps)
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "3"), ("Muster:Mqtt:HandshakesPerSourceMax", "2"), ("Muster:Mqtt:ConnectTimeout", "00:01:00"),
            ("Muster:Mqtt:HandshakeTimeout", "00:01:00"), ("Muster:DeviceHttps:StrangerTimeout", "00:01:00"));
        using var certificate = TestPki.CreateSelfSigned(Samples.Serial);
        var port = atHttps ? edge.HttpsPort : edge.MqttPort;
        await using var first = await RawClient.ConnectAsync(edge, certificate, port: port, source: SilentHost.Address);
        await using var second = await RawClient.ConnectAsync(edge, certificate, port: port, source: SilentHost.Address);
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        var third = RawClient.ConnectAsync(edge, certificate, port: port, source: SilentHost.Address);
        await Eventually.TrueAsync(() => gate.Waiting == 1, "the third, who waits for one of the two");

        // Devices of another address do not wait, and keep no place.
        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var another = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);
        Assert.False(third.IsCompleted);
        await first.DisposeAsync();

        await using var last = await third;
    }

    /// <summary>
    /// Six networks fill what they may have of the doors, twelve times the handshakes there are at once. Of each no more than one is before
    /// the device: the others are there still when it is let in.
    /// </summary>
    [Fact]
    public async Task Device_BehindManyNetworksThatAreSilent_HasItsTurnInTheFirstRound()
    {
        const int Networks = 6;
        const int Share = 4;
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:HandshakesMax", "2"), ("Muster:Mqtt:HandshakesPerSourceMax", $"{Share}"),
            ("Muster:Mqtt:HandshakeTimeout", "00:00:01"));
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        var hosts = Enumerable.Range(2, Networks).Select(host => new SilentHost(edge.MqttPort, $"127.0.0.{host}")).ToList();
        var sockets = new List<TcpClient>();
        foreach (var host in hosts)
        {
            for (var i = 0; i < Share; i++)
            {
                sockets.Add(await host.OpenAsync());
            }
        }

        await Eventually.TrueAsync(() => gate.Running == 2 && gate.Waiting > 2 * Networks, "silence everywhere");
        await using var device = await TestClient.ConnectedAsync(edge, Samples.Serial);

        // Those that had their turn before: one of each network, and the two or three that had theirs while the sockets were opened.
        var ended = sockets.Count(socket => !SilentHost.IsOpen(socket));
        Assert.InRange(ended, 1, 2 * Networks);
        hosts.ForEach(host => host.Dispose());
    }

    /// <summary>One deadline for the handshake and the refusal: whoever is through the first has no second one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stranger_WhoSaysNothing_IsClosedWhenTheTimeOfAHandshakeIsOver(bool atHttps)
    {
        await using var edge = await DeviceEdge.StartAsync(
            ("Muster:Mqtt:ConnectTimeout", "00:01:00"), ("Muster:DeviceHttps:StrangerTimeout", "00:01:00"),
            ("Muster:Mqtt:HandshakeTimeout", "00:00:01"));
        var port = atHttps ? edge.HttpsPort : edge.MqttPort;
        using var away = new TurnedAwayCounts(edge);
        using var self = TestPki.CreateSelfSigned(Samples.Serial);
        await using var stranger = await RawClient.ConnectAsync(edge, self, port: port);
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var device = await RawClient.ConnectAsync(edge, certificate, port: port);

        await Assert.ThrowsAnyAsync<IOException>(() => ReadAsync(stranger));

        // Who is known has all the time that his protocol gives him.
        Assert.Equal(1, away.Of(atHttps ? "https" : "mqtt", "handshake-too-long"));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => device.ReadSomeAsync(TimeSpan.FromSeconds(1.5)));
    }

    /// <summary>Before the anchors were read nobody is a stranger: devices that connect then do not wait for each other.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Device_WhileTheGatewayCannotTellWhoItIs_KeepsNoPlaceAmongTheHandshakes(bool atHttps)
    {
        var pki = new TestPki();
        var trust = new DeviceTrust(TenantDirectory.OfOne, TrustStore.FromPem(pki.RootPem), pki.Clock);
        await using var edge = await DeviceEdge.StartAsync(
            pki, trust, TenantDirectory.OfOne,
            ("Muster:Mqtt:HandshakesMax", "1"), ("Muster:Mqtt:ConnectTimeout", "00:01:00"), ("Muster:Mqtt:HandshakeTimeout", "00:01:00"),
            ("Muster:DeviceHttps:StrangerTimeout", "00:01:00"));
        var port = atHttps ? edge.HttpsPort : edge.MqttPort;
        using var certificate = pki.Issue(Samples.Serial);
        await using var first = await RawClient.ConnectAsync(edge, certificate, port: port);

        var next = RawClient.ConnectAsync(edge, certificate, port: port);

        await using var second = await next.WaitAsync(TimeSpan.FromSeconds(20), Stop);
        var gate = edge.Services.GetRequiredService<HandshakeGate>();
        await Eventually.TrueAsync(() => gate.Running == 0, "no place that is kept");
    }

    private static async Task ReadAsync(RawClient client)
    {
        if ((await client.ReadSomeAsync()).Length == 0)
        {
            throw new IOException("It is closed without a reset.");
        }
    }

    private static async Task ReadToTheEndAsync(TcpClient tcp)
    {
        try
        {
            Assert.Equal(0, await tcp.GetStream().ReadAsync(new byte[1], Stop));
        }
        catch (IOException)
        {
            // With a reset: it is closed all the same.
        }
    }
}
