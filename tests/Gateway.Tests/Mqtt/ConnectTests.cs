using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;
using Muster.Domain;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

public sealed class ConnectTests
{
    private static readonly FleetError Tombstone = FleetError.Of(ErrorKind.Denied, "DEVICE_DECOMMISSIONED", "The device is a tombstone.");

    [Fact]
    public async Task Connect_WithATrustedIdentity_IsAdmittedAndToldWhatIsOffered()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial);

        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        Assert.Equal(MqttQualityOfServiceLevel.AtLeastOnce, result.MaximumQoS);
        Assert.Equal(256u * 1024, result.MaximumPacketSize);
        Assert.True(result.RetainAvailable);
        Assert.False(result.SharedSubscriptionAvailable);
        Assert.Equal(TopicAliases.Max, result.TopicAliasMaximum);
        Assert.Equal((ushort)64, result.ReceiveMaximum);
        Assert.True(Assert.Single(edge.Grains.Device(Samples.Serial).Admitted).Receives);
    }

    [Fact]
    public async Task Connect_WithAnOperationalCertificate_IsTheSameDevice()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.IssueOperational(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial);

        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);
        var identity = Assert.Single(edge.Grains.Device(Samples.Serial).Admitted).Identity;
        Assert.Equal((Samples.Serial, "ieee8021ar", true), (identity.Device.Value, identity.Profile, identity.IsOperational));
    }

    [Fact]
    public async Task Session_ThatOutlivesItsOperationalCertificate_IsClosed()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var own = new TestClient(edge, edge.Pki.IssueOperational(Samples.Serial));
        await using var makers = new TestClient(edge, edge.Pki.Issue(Samples.OtherSerial));
        await own.ConnectAsync(Samples.Serial);
        await makers.ConnectAsync(Samples.OtherSerial);

        edge.Pki.Clock.Shift(TimeSpan.FromDays(31));

        var ending = await own.Disconnected.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(MqttClientDisconnectReason.NotAuthorized, ending.Reason);
        Assert.False(makers.Disconnected.Task.IsCompleted);
    }

    [Theory]
    [InlineData(true, true, false)]
    [InlineData(false, true, true)]
    [InlineData(false, false, false)]
    public async Task Connect_OfADevice_SessionPresentSaysWhetherItIsKnown(bool cleanStart, bool isKnown, bool expected)
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).IsKnown = isKnown;
        foreach (var version in new[] { MqttProtocolVersion.V500, MqttProtocolVersion.V311 })
        {
            await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

            var result = await client.ConnectAsync(Samples.Serial, version, cleanStart);

            Assert.Equal(expected, result.IsSessionPresent);
        }
    }

    [Theory]
    [InlineData("self-signed", "CERTIFICATE_UNTRUSTED")]
    [InlineData("untrusted", "CERTIFICATE_UNTRUSTED")]
    [InlineData("expired", "CERTIFICATE_EXPIRED")]
    public async Task Connect_WithABadCertificate_IsRefusedWithTheReason(string kind, string reason)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = kind switch
        {
            "self-signed" => TestPki.CreateSelfSigned(Samples.Serial),
            "untrusted" => TestPki.IssueUntrusted(Samples.Serial),
            _ => edge.Pki.IssueExpired(Samples.Serial),
        };
        await using var client = new TestClient(edge, certificate);
        await using var old = new TestClient(edge, certificate);

        var result = await client.ConnectAsync(Samples.Serial);
        var oldResult = await old.ConnectAsync(Samples.Serial, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, result.ResultCode);
        Assert.StartsWith(reason, result.ReasonString, StringComparison.Ordinal);
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, oldResult.ResultCode);
        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    [Fact]
    public async Task Connect_WithoutACertificate_FailsInTheHandshake()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, certificate: null);

        await Assert.ThrowsAnyAsync<Exception>(() => client.ConnectAsync(Samples.Serial));

        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    [Fact]
    public async Task Connect_WithoutTls_IsClosed()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", edge.MqttPort, TestContext.Current.CancellationToken);

        byte[] connect = [0x10, 12, 0, 4, .. "MQTT"u8, 4, 2, 0, 60, 0, 0];
        await tcp.GetStream().WriteAsync(connect, TestContext.Current.CancellationToken);

        var read = await ReadOrResetAsync(tcp.GetStream());
        Assert.NotEqual(0x20, read);
    }

    [Theory]
    [InlineData(Samples.OtherSerial)]
    [InlineData(Samples.Serial + "0")]
    [InlineData(Samples.Serial + "/")]
    [InlineData(Samples.Serial + "/a/b")]
    [InlineData(Samples.Serial + "/a b")]
    public async Task Connect_WithAClientIdThatIsNotTheIdentitys_IsRefused(string clientId)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        await using var old = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(clientId);
        var oldResult = await old.ConnectAsync(clientId, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.ClientIdentifierNotValid, result.ResultCode);
        Assert.Equal(MqttClientConnectResultCode.ClientIdentifierNotValid, oldResult.ResultCode);
    }

    [Fact]
    public async Task Connect_OfATombstone_IsBanned()
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).AdmitError = Tombstone;
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        await using var old = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial);
        var oldResult = await old.ConnectAsync(Samples.Serial, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.Banned, result.ResultCode);
        Assert.Contains("DEVICE_DECOMMISSIONED", result.ReasonString, StringComparison.Ordinal);
        Assert.Equal(MqttClientConnectResultCode.NotAuthorized, oldResult.ResultCode);
    }

    [Fact]
    public async Task Connect_WhenTheGrainDoesNotAnswer_IsAskedToComeBack()
    {
        await using var edge = await DeviceEdge.StartAsync();
        edge.Grains.Device(Samples.Serial).AdmitError = FleetError.Of(ErrorKind.Unavailable, "TEMPORARILY_UNAVAILABLE", "Later.");
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        await using var old = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial);
        var oldResult = await old.ConnectAsync(Samples.Serial, MqttProtocolVersion.V311);

        Assert.Equal(MqttClientConnectResultCode.ServerUnavailable, result.ResultCode);
        Assert.Equal(MqttClientConnectResultCode.ServerUnavailable, oldResult.ResultCode);
    }

    [Fact]
    public async Task Connect_OfAThirdConnectionThatOnlyPublishes_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var receiver = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var first = await TestClient.ConnectedAsync(edge, Samples.Serial, $"{Samples.Serial}/a");
        await using var second = await TestClient.ConnectedAsync(edge, Samples.Serial, $"{Samples.Serial}/b");
        await using var third = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await third.ConnectAsync($"{Samples.Serial}/c");

        Assert.Equal(MqttClientConnectResultCode.QuotaExceeded, result.ResultCode);
        Assert.True(receiver.IsConnected && first.IsConnected && second.IsConnected);
        Assert.False(edge.Grains.Device(Samples.Serial).Admitted.Last().Receives);
    }

    [Fact]
    public async Task Connect_AboveTheLimitOfConnections_IsRefused()
    {
        await using var edge = await DeviceEdge.StartAsync(("Muster:Mqtt:ConnectionsMax", "1"));
        await using var first = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var second = new TestClient(edge, edge.Pki.Issue(Samples.OtherSerial));

        var result = await second.ConnectAsync(Samples.OtherSerial);

        Assert.Equal(MqttClientConnectResultCode.QuotaExceeded, result.ResultCode);
        Assert.True(first.IsConnected);
    }

    [Fact]
    public async Task Connect_OfANewerSession_TakesOver()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var older = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var newer = await TestClient.ConnectedAsync(edge, Samples.Serial);

        Assert.Equal(MqttClientDisconnectReason.SessionTakenOver, await older.NextEndAsync());
        Assert.True(newer.IsConnected);

        // Of the older one's end the grain need not hear: it knows the newer one, whose end it is told.
        await newer.DisconnectAsync();
        var told = edge.Grains.Device(Samples.Serial).Disconnected;
        await Eventually.TrueAsync(() => told.Any(session => session.Epoch == 2), "the newer session's end reaches its grain");
    }

    [Fact]
    public async Task Close_OfATombstone_EndsEverySession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var receiver = await TestClient.ConnectedAsync(edge, Samples.Serial);
        await using var publisher = await TestClient.ConnectedAsync(edge, Samples.Serial, $"{Samples.Serial}/pub");
        await using var neighbour = await TestClient.ConnectedAsync(edge, Samples.OtherSerial);

        await edge.Grains.Device(Samples.Serial).CloseAsync(long.MaxValue, all: true, Tombstone);

        Assert.Equal(MqttClientDisconnectReason.AdministrativeAction, await receiver.NextEndAsync());
        Assert.Equal(MqttClientDisconnectReason.AdministrativeAction, await publisher.NextEndAsync());
        Assert.True(neighbour.IsConnected);
    }

    [Fact]
    public async Task Stop_OfTheGateway_TellsEverySession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = await TestClient.ConnectedAsync(edge, Samples.Serial);

        await edge.StopAsync();

        Assert.Equal(MqttClientDisconnectReason.ServerShuttingDown, await client.NextEndAsync());
    }

    [Fact]
    public async Task KeepAlive_WhenNothingIsHeard_EndsTheSession()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);
        await client.ConnectAsync(Samples.Serial, keepAlive: 1);

        var connAck = await client.ReceiveAsync();
        var end = await client.ReceiveAsync();

        Assert.Equal([0x20, 0x00], [connAck[0], connAck[3]]);
        Assert.Equal([0xE0, 0x8D], [end[0], end[2]]);
    }

    [Fact]
    public async Task FirstPacket_WhenItIsNoConnect_ClosesTheConnection()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync([0x30, 4, 0, 1, 65, 66]);

        Assert.Empty(await client.ReceiveAsync());
    }

    private static async Task<int> ReadOrResetAsync(NetworkStream stream)
    {
        var buffer = new byte[16];
        try
        {
            return await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) == 0 ? -1 : buffer[0];
        }
        catch (IOException)
        {
            return -1;
        }
    }
}
