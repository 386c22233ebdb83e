using System.Buffers;
using Microsoft.Extensions.Options;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Trust;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// Reads the packets of one session, one after the other: what a device says is applied in its order, and a device that is
/// slowed down waits in its own socket.
/// </summary>
internal sealed partial class SessionLoop(
    IGrainFactory grains,
    SessionRegistry registry,
    UpMessages messages,
    DeviceCalls calls,
    GatewayInstruments instruments,
    IOptions<MqttOptions> options,
    TimeProvider clock,
    ILogger<SessionLoop> logger)
{
    /// <summary>What a peer may still send after it was told that it is being closed.</summary>
    private const long DrainBytesMax = 8 * 1024 * 1024;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(2);

    public async Task RunAsync(MqttSession session)
    {
        session.LastReceived = clock.GetTimestamp();
        session.Device.Seen(clock.GetUtcNow());
        if (!registry.TryActivate(session, out var replaced))
        {
            session.Close(MqttDisconnectReasonCode.SessionTakenOver, TakenOver());
            return;
        }

        replaced?.Close(MqttDisconnectReasonCode.SessionTakenOver, TakenOver());
        instruments.Sessions.Add(1);
        LogOpened(logger, session.ClientId, session.Epoch, session.Channel.Remote);
        try
        {
            session.IsReading = true;
            session.ReleaseEarly();
            await ReceiveAsync(session);
        }
        finally
        {
            session.IsReading = false;
            instruments.Sessions.Add(-1);
            LogClosed(logger, session.ClientId, session.Epoch);
        }
    }

    /// <summary>Forgets the session; the peer reads why before its connection goes.</summary>
    public async Task EndAsync(MqttSession session)
    {
        registry.Detach(session);
        if (session.Receives)
        {
            _ = TellGrainAsync(session);
        }

        if (session.IsEnding)
        {
            await session.Ended;
            await session.Channel.DrainAsync(DrainBytesMax, DrainTimeout);
        }
    }

    private async Task TellGrainAsync(MqttSession session)
    {
        await calls.EnterGoodbyeAsync();
        try
        {
            // Its device is back here already: the grain knows of a newer session, and would not listen.
            if (!registry.IsReceiving(session.Address))
            {
                await session.Grain.DisconnectAsync(session.Reference);
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Presence says the same within two seconds.
            LogDisconnectUntold(logger, exception, session.ClientId);
        }
        finally
        {
            calls.LeaveGoodbye();
        }
    }

    private async Task ReceiveAsync(MqttSession session)
    {
        var input = session.Channel.Input;
        while (!session.IsOver)
        {
            var result = await input.ReadAsync();
            var rest = result.Buffer;
            var goesOn = !result.IsCanceled && CheckReceiveMaximum(session, rest);
            while (goesOn && !session.IsOver)
            {
                var status = FrameReader.TryRead(rest, options.Value.PacketBytesMax, out var frame);
                if (status == FrameStatus.Incomplete)
                {
                    break;
                }

                session.IsBusy = true;
                try
                {
                    if (TakeTurn(session, frame) is > 0 and var early)
                    {
                        await SlowDownAsync(early);
                    }

                    goesOn = await HandleAsync(session, status, frame);
                }
                finally
                {
                    session.LastReceived = clock.GetTimestamp();
                    session.Device.Seen(clock.GetUtcNow());
                    session.IsBusy = false;
                }

                rest = status == FrameStatus.Complete ? rest.Slice(frame.Body.End) : rest.Slice(rest.End);
            }

            input.AdvanceTo(rest.Start, rest.End);
            if (!goesOn || result.IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>
    /// Whatever lies here unread is unanswered: an MQTT 5 device that has more of it than it was allowed does not keep to the protocol
    /// (MQTT 5, 3.3.4). One of MQTT 3.1.1 was told no number, and waits in its own socket.
    /// </summary>
    private bool CheckReceiveMaximum(MqttSession session, in ReadOnlySequence<byte> unread)
    {
        var max = options.Value.ReceiveMax;
        if (!session.Channel.IsVersion5 || unread.Length <= (long)max * PublishFrame.AcknowledgedBytesMin)
        {
            return true;
        }

        var count = 0;
        var rest = unread;
        while (count <= max && FrameReader.TryRead(rest, options.Value.PacketBytesMax, out var frame) == FrameStatus.Complete)
        {
            count += PublishFrame.IsAcknowledged(frame.Header) ? 1 : 0;
            rest = rest.Slice(frame.Body.End);
        }

        if (count > max)
        {
            var error = FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", $"More than {max} messages wait for their PUBACK.");
            session.Close(MqttDisconnectReasonCode.ReceiveMaximumExceeded, error);
        }

        return count <= max;
    }

    private ValueTask<bool> HandleAsync(MqttSession session, FrameStatus status, in Frame frame)
    {
        if (status != FrameStatus.Complete)
        {
            var isTooLarge = status == FrameStatus.TooLarge;
            var error = isTooLarge ? DeviceMessageErrors.PayloadTooLarge(options.Value.PacketBytesMax) : Malformed();
            if (isTooLarge)
            {
                // MQTT 3.1.1 has no words for the end of a connection; what of the packet was read has no stamp.
                session.Device.DeliverOwn(new RejectionMessage(UpKind.Unspecified, default, error));
            }

            session.Close(isTooLarge ? MqttDisconnectReasonCode.PacketTooLarge : MqttDisconnectReasonCode.MalformedPacket, error);
            return ValueTask.FromResult(false);
        }

        switch ((MqttControlPacketType)(frame.Header >> 4))
        {
            case MqttControlPacketType.Publish:
                return messages.HandleAsync(session, frame);
            case MqttControlPacketType.PubAck when TryReadPacketId(frame, out var acknowledged):
                session.Acknowledged(acknowledged);
                return ValueTask.FromResult(true);
            case MqttControlPacketType.PingReq:
                return PongAsync(session);
            default:
                return HandleOtherAsync(session, frame);
        }
    }

    /// <summary>What a device says to an acknowledgement's reason changes nothing: the record repeats what matters.</summary>
    private static bool TryReadPacketId(in Frame frame, out ushort packetId)
    {
        var reader = new SequenceReader<byte>(frame.Body);
        var isRead = reader.TryReadBigEndian(out short value);
        packetId = (ushort)value;
        return isRead;
    }

    /// <summary>Every packet costs the device a turn, but acknowledgements that we wait for: of those there are never many.</summary>
    private long TakeTurn(MqttSession session, in Frame frame) => frame.Header >> 4 == (int)MqttControlPacketType.PubAck
        && TryReadPacketId(frame, out var acknowledged) && session.IsAwaited(acknowledged)
            ? 0
            : session.Device.TakeTurn(clock.GetTimestamp());

    private async Task SlowDownAsync(long early)
    {
        var wait = clock.GetElapsedTime(0, early);
        instruments.Throttled(wait);
        await Task.Delay(wait, clock);
    }

    private async ValueTask<bool> PongAsync(MqttSession session)
    {
        await session.Channel.PongAsync();
        if (!session.IsReportedAlive && session.Device.IsOutlived(session))
        {
            session.IsReportedAlive = true;
            _ = TellOutlivedAsync(session);
        }

        return true;
    }

    /// <summary>An older connection pings while a newer one runs in another boot: two units with one identity.</summary>
    private async Task TellOutlivedAsync(MqttSession session)
    {
        try
        {
            var (tenant, device) = session.Address;
            await grains.GetDeviceTrust(tenant, device).SuspectAsync(new SuspectClone(
                SuspicionKind.OlderConnectionAlive,
                $"The connection '{session.ClientId}' of boot '{session.Boot}' pinged beside a newer one of another boot."));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Its next ping tells again.
            session.IsReportedAlive = false;
            LogSuspicionUntold(logger, exception, session.ClientId);
        }
    }

    private static async ValueTask<bool> HandleOtherAsync(MqttSession session, Frame frame)
    {
        MqttPacket packet;
        try
        {
            packet = session.Channel.Decode(frame);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The decoder throws many types for bytes that are not MQTT; all of them mean this.
            session.Close(MqttDisconnectReasonCode.MalformedPacket, Malformed());
            return false;
        }

        switch (packet)
        {
            case MqttSubscribePacket { TopicFilters.Count: 0 } or MqttSubscribePacket { PacketIdentifier: 0 }
                or MqttUnsubscribePacket { TopicFilters.Count: 0 } or MqttUnsubscribePacket { PacketIdentifier: 0 }:
                // MQTT 5, 2.2.1-3, 3.8.3-2 and 3.10.3-2. There would be no answer to either.
                session.Close(
                    MqttDisconnectReasonCode.ProtocolError,
                    FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "It has no packet identifier or no topic filter."));
                return false;
            case MqttSubscribePacket subscribe when subscribe.SubscriptionIdentifier > 0:
                session.Close(
                    MqttDisconnectReasonCode.SubscriptionIdentifiersNotSupported,
                    FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "Subscription identifiers are not offered."));
                return false;
            case MqttSubscribePacket subscribe:
                await session.Channel.SendAsync(Subscriptions.Answer(session, subscribe));
                return true;
            case MqttUnsubscribePacket unsubscribe:
                await session.Channel.SendAsync(Subscriptions.Answer(unsubscribe));
                return true;
            case MqttDisconnectPacket { SessionExpiryInterval: > 0 } when session.ExpiresAtOnce:
                session.Close(
                    MqttDisconnectReasonCode.ProtocolError,
                    FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "A session that expires at once cannot be kept with its end."));
                return false;
            case MqttDisconnectPacket goodbye:
                session.HasSaidGoodbye = true;
                session.LastWill = goodbye.ReasonCode == MqttDisconnectReasonCode.DisconnectWithWillMessage ? session.LastWill : null;
                return false;
            default:
                session.Close(
                    MqttDisconnectReasonCode.ProtocolError,
                    FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "This packet has no place here."));
                return false;
        }
    }

    private static FleetError Malformed() => FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", "This is not an MQTT packet.");

    private static FleetError TakenOver() =>
        FleetError.Of(ErrorKind.Conflict, ReasonCodes.TakenOver, "A newer connection of this client took over.");
}
