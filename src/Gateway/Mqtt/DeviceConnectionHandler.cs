using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Domain.Devices;
using Muster.Gateway.Identity;

namespace Muster.Gateway.Mqtt;

/// <summary>One MQTT connection from its first byte after the TLS handshake: CONNECT, admission, CONNACK, messages, end.</summary>
internal sealed partial class DeviceConnectionHandler(
    SessionRegistry registry,
    SessionAdmission admissions,
    SessionLoop loop,
    GatewayInstruments instruments,
    IOptions<MqttOptions> options,
    TimeProvider clock,
    ILogger<DeviceConnectionHandler> logger) : ConnectionHandler
{
    private const byte ConnectHeader = 0x10;

    /// <summary>
    /// The CONNECT of somebody who will be refused in any case: enough to read who he says he is, and no memory to be had for a certificate
    /// that anybody can make.
    /// </summary>
    private const int StrangerBytesMax = 4 * 1024;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        using var channel = new MqttChannel(connection, clock);
        var hasRoom = registry.TryOpen();
        try
        {
            var peer = DevicePeer.Of(connection.Items);
            var isWelcome = hasRoom && peer?.Result?.Identity is not null;
            if (await ReceiveConnectAsync(channel, isWelcome ? options.Value.PacketBytesMax : StrangerBytesMax) is { } connect)
            {
                await ServeAsync(channel, peer, connect, hasRoom);
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException or OperationCanceledException)
        {
            LogBroken(logger, exception, channel.Remote);
        }
        finally
        {
            registry.Closed();
        }
    }

    private async Task ServeAsync(MqttChannel channel, DevicePeer? peer, ConnectFrame received, bool hasRoom)
    {
        var connect = received.Packet;
        channel.PeerPacketBytesMax = connect.MaximumPacketSize == 0 ? long.MaxValue : connect.MaximumPacketSize;
        var admission = received.Refusal ?? await admissions.AdmitAsync(channel, peer, connect, hasRoom);
        if (admission.Session is not { } session)
        {
            LogRefusal(channel, connect, admission);
            instruments.Connected(admission.Error!.Reason);
            await RefuseAsync(channel, admission);
            return;
        }

        try
        {
            if (await channel.SendAsync(CreateAcceptance(admission, connect)))
            {
                instruments.Connected("accepted");
                await loop.RunAsync(session);
            }
        }
        finally
        {
            await loop.EndAsync(session);
        }
    }

    /// <summary>Words that do not fit the client's packets are left out (MQTT 5, 3.2.2.3.9).</summary>
    private static async Task RefuseAsync(MqttChannel channel, Admission admission)
    {
        var packet = CreateRefusal(admission);
        if (!await channel.SendAsync(packet))
        {
            packet.ReasonString = null;
            await channel.SendAsync(packet);
        }
    }

    private void LogRefusal(MqttChannel channel, MqttConnectPacket connect, in Admission admission)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            var clientId = ShownText.OneLine(connect.ClientId, DeviceId.LengthMax * 2);
            var reason = ReasonCodes.TextOf(admission.Error!);
            LogRefused(logger, channel.Remote, clientId, admission.Code, reason);
        }
    }

    private async Task<ConnectFrame?> ReceiveConnectAsync(MqttChannel channel, int bytesMax)
    {
        using var timeout = new CancellationTokenSource(options.Value.ConnectTimeout, clock);
        while (true)
        {
            var result = await channel.Input.ReadAsync(timeout.Token);
            var status = FrameReader.TryRead(result.Buffer, bytesMax, out var frame);
            if (status == FrameStatus.Incomplete && !result.IsCompleted)
            {
                channel.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
                continue;
            }

            var connect = status == FrameStatus.Complete && frame.Header == ConnectHeader
                ? ConnectFrame.Of(frame, Decode(channel, frame), channel.IsVersion5)
                : null;
            channel.Input.AdvanceTo(status == FrameStatus.Complete ? frame.Body.End : result.Buffer.End);
            if (connect is null && !result.IsCompleted)
            {
                LogNotMqtt(logger, channel.Remote);
            }

            return connect;
        }
    }

    private static MqttConnectPacket? Decode(MqttChannel channel, in Frame frame)
    {
        try
        {
            return channel.Decode(frame) as MqttConnectPacket;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The decoder throws many types for bytes that are not MQTT; all of them mean this.
            return null;
        }
    }

    private MqttConnAckPacket CreateAcceptance(in Admission admission, MqttConnectPacket connect)
    {
        var keepAlive = admissions.KeepAliveOf(connect);
        return new MqttConnAckPacket
        {
            IsSessionPresent = admission.SessionPresent,
            ReasonCode = MqttConnectReasonCode.Success,
            ReturnCode = MqttConnectReturnCode.ConnectionAccepted,
            MaximumQoS = MqttQualityOfServiceLevel.AtLeastOnce,
            MaximumPacketSize = (uint)options.Value.PacketBytesMax,
            ReceiveMaximum = (ushort)options.Value.ReceiveMax,

            // A retained message differs from another for who subscribes later, and nobody can subscribe to what devices publish. To say
            // that it is not available would keep out stock cameras, whose last will is often retained.
            RetainAvailable = true,
            WildcardSubscriptionAvailable = true,
            SubscriptionIdentifiersAvailable = false,
            SharedSubscriptionAvailable = false,
            TopicAliasMaximum = TopicAliases.Max,
            AssignedClientIdentifier = admission.AssignedClientId,
            ServerKeepAlive = (ushort)(keepAlive.TotalSeconds == connect.KeepAlivePeriod ? 0 : keepAlive.TotalSeconds),
        };
    }

    private static MqttConnAckPacket CreateRefusal(in Admission admission) => new()
    {
        ReasonCode = admission.Code,
        ReturnCode = ReasonCodes.ToReturnCode(admission.Code),
        ReasonString = ReasonCodes.TextOf(admission.Error!),
        RetainAvailable = true,
        MaximumQoS = MqttQualityOfServiceLevel.ExactlyOnce,
        WildcardSubscriptionAvailable = true,
        SubscriptionIdentifiersAvailable = true,
        SharedSubscriptionAvailable = true,
    };
}
