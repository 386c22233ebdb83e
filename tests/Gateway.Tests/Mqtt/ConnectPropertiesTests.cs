using System.Security.Authentication;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Gateway.Tests.Edge;

namespace Muster.Gateway.Tests.Mqtt;

/// <summary>What a CONNECT may ask for, and what is made of it.</summary>
public sealed class ConnectPropertiesTests
{
    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Connect_OverEitherTls_IsAdmitted(SslProtocols protocol)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate, protocol);

        await client.SendAsync(RawPackets.Connect(Samples.Serial, []));

        Assert.Equal(MqttConnectReasonCode.Success, (await client.ReceiveAsync<MqttConnAckPacket>()).ReasonCode);
    }

    [Fact]
    public async Task Connect_WithoutAClientId_IsAssignedTheOneOfItsCertificate()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync(RawPackets.Connect("", []));

        var connAck = await client.ReceiveAsync<MqttConnAckPacket>();
        Assert.Equal((MqttConnectReasonCode.Success, Samples.Serial), (connAck.ReasonCode, connAck.AssignedClientIdentifier));
        Assert.True(Assert.Single(edge.Grains.Device(Samples.Serial).Admitted).Receives);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 2)]
    public async Task Connect_WithoutAClientIdOnMqtt311_IsTheReceivingSessionIfItIsClean(bool isClean, byte code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync([0x10, 12, 0, 4, .. "MQTT"u8, 4, (byte)(isClean ? 2 : 0), 0, 60, 0, 0]);

        Assert.Equal([0x20, 2, 0, code], await client.ReceiveAsync());
        Assert.Equal(isClean ? 1 : 0, edge.Grains.Device(Samples.Serial).Admitted.Count);
    }

    [Fact]
    public async Task Connect_WithoutAClientIdAndWithoutCleanStart_HasNoSessionThatItCouldKnow()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);
        var connect = RawPackets.Connect("", []);
        connect[9] = 0;

        await client.SendAsync(connect);

        var connAck = await client.ReceiveAsync<MqttConnAckPacket>();
        Assert.Equal((MqttConnectReasonCode.Success, false), (connAck.ReasonCode, connAck.IsSessionPresent));
    }

    [Theory]
    [InlineData(new byte[] { 0x21, 0, 0 })]
    [InlineData(new byte[] { 0x27, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0x11, 0, 0, 0, 9, 0x11, 0, 0, 0, 9 })]
    public async Task Connect_WithAPropertyThatMayNotBe_IsAProtocolError(byte[] properties)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync(RawPackets.Connect(Samples.Serial, properties));

        Assert.Equal(MqttConnectReasonCode.ProtocolError, (await client.ReceiveAsync<MqttConnAckPacket>()).ReasonCode);
        Assert.Empty(await client.ReceiveAsync());
        Assert.Empty(edge.Grains.Device(Samples.Serial).Admitted);
    }

    [Fact]
    public async Task Connect_RefusedToAClientOfSmallPackets_IsToldTheCodeWithoutWords()
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync(RawPackets.Connect(Samples.OtherSerial, [0x27, 0, 0, 0, 20]));

        Assert.Equal([0x20, 3, 0, 0x85, 0], await client.ReceiveAsync());
    }

    [Theory]
    [InlineData(0, 1200)]
    [InlineData(3600, 1200)]
    [InlineData(60, 0)]
    public async Task Connect_WithAKeepAliveAboveTheLimit_IsToldTheServers(ushort keepAlive, int told)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);

        await client.SendAsync(RawPackets.Connect(Samples.Serial, [], keepAlive));

        Assert.Equal(told, (await client.ReceiveAsync<MqttConnAckPacket>()).ServerKeepAlive);
    }

    [Theory]
    [InlineData(0u, 60u, 0x82)]
    [InlineData(10u, 60u, null)]
    [InlineData(10u, 0u, null)]
    [InlineData(0u, 0u, null)]
    public async Task Disconnect_ThatAsksForMoreThanTheConnect_IsAProtocolError(uint connected, uint left, int? code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        using var certificate = edge.Pki.Issue(Samples.Serial);
        await using var client = await RawClient.ConnectAsync(edge, certificate);
        await client.SendAsync(RawPackets.Connect(Samples.Serial, [0x11, 0, 0, 0, (byte)connected]));
        await client.ReceiveAsync<MqttConnAckPacket>();

        await client.SendAsync(RawPackets.Disconnect(left));

        var end = await client.ReceiveAsync();
        Assert.Equal(code, end.Length == 0 ? null : end[2]);
        var gone = await EndOfAsync(edge);
        Assert.Equal(code is null ? DisconnectReason.ClosedByDevice : DisconnectReason.ProtocolError, gone.Reason);
    }

    [Theory]
    [InlineData(MqttQualityOfServiceLevel.ExactlyOnce, false, MqttClientConnectResultCode.QoSNotSupported)]
    [InlineData(MqttQualityOfServiceLevel.AtLeastOnce, true, MqttClientConnectResultCode.Success)]
    public async Task Connect_WithAWill_IsTakenUnlessItsQosIsNotOfferedInMqtt5(
        MqttQualityOfServiceLevel qos, bool retain, MqttClientConnectResultCode code)
    {
        await using var edge = await DeviceEdge.StartAsync();
        await using var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        await using var old = new TestClient(edge, edge.Pki.Issue(Samples.Serial));

        var result = await client.ConnectAsync(Samples.Serial, configure: Will);
        var oldResult = await old.ConnectAsync(Samples.Serial, MqttProtocolVersion.V311, configure: Will);

        Assert.Equal((code, MqttClientConnectResultCode.Success), (result.ResultCode, oldResult.ResultCode));

        void Will(MqttClientOptionsBuilder options) =>
            options.WithWillTopic("will").WithWillPayload("gone").WithWillQualityOfServiceLevel(qos).WithWillRetain(retain);
    }

    [Fact]
    public async Task Connect_WithADelayedWillAndItsProperties_IsTakenAndItsWordsShowAtOnce()
    {
        await using var edge = await DeviceEdge.StartAsync();
        var client = new TestClient(edge, edge.Pki.Issue(Samples.Serial));
        var result = await client.ConnectAsync(Samples.Serial, configure: options => options
            .WithWillTopic("will").WithWillPayload(Encoding.UTF8.GetBytes("gone")).WithWillDelayInterval(3600)
            .WithWillMessageExpiryInterval(60).WithWillContentType("text/plain").WithWillUserProperty("name", "value"u8.ToArray()));
        Assert.Equal(MqttClientConnectResultCode.Success, result.ResultCode);

        await client.DisposeAsync();

        Assert.Equal("gone", (await EndOfAsync(edge)).LastWill);
    }

    private static async Task<SessionPresence> EndOfAsync(DeviceEdge edge)
    {
        await Eventually.TrueAsync(() => Sessions(edge).Any(session => !session.Connected), "the end in presence");
        return Sessions(edge).Last(session => !session.Connected);
    }

    private static IEnumerable<SessionPresence> Sessions(DeviceEdge edge) =>
        edge.Grains.Inventory.Reports.SelectMany(report => report.Sessions);
}
