using System.Buffers;
using System.Text;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;
using Muster.Gateway.Devices;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Broker;

/// <summary>
/// What a device published through the broker, with its endings: committed, or refused for ever, which both acknowledge it to the broker;
/// or not possible now: tried again, with a growing pause, while the broker has it too.
/// </summary>
internal sealed partial class BrokerMessages(
    BrokerDevices devices,
    BrokerReference reference,
    AdmissionGate gate,
    BrokerOutbox outbox,
    BrokerInstruments instruments,
    GatewayInstruments counts,
    TimeProvider clock,
    ILogger<BrokerMessages> logger)
{
    /// <summary>A message that another gateway's newer session overtook is sent again at once, but not for ever.</summary>
    private const int TakeoversMax = 3;

    private const int LastWillMax = 200;

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(100);

    /// <summary>As long as a failover of the store or of a silo takes.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(15);

    /// <summary>Returns when the message is settled, or its connection is over.</summary>
    public async Task HandleAsync(BrokerDevice device, BrokerMessage message)
    {
        try
        {
            var early = device.TakeTurn(clock.GetTimestamp());
            if (early > 0)
            {
                var wait = clock.GetElapsedTime(0, early);
                counts.Throttled(wait);
                await Task.Delay(wait, clock, message.Over);
            }

            for (var pause = PauseMin; !message.Over.IsCancellationRequested; pause = pause * 2 < PauseMax ? pause * 2 : PauseMax)
            {
                if (await TryAsync(device, message))
                {
                    device.Seen(clock.GetUtcNow());
                    await message.AcknowledgeAsync();
                    return;
                }

                device.Block();
                counts.Received(message.Kind, "not-now");
                instruments.Retries.Add(1);
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), clock, message.Over);
            }
        }
        catch (OperationCanceledException) when (message.Over.IsCancellationRequested)
        {
            // The broker sends it again: here, or to the gateway that has this one's name next.
        }
    }

    /// <summary>True when the broker may forget the message.</summary>
    private async Task<bool> TryAsync(BrokerDevice device, BrokerMessage message)
    {
        try
        {
            for (var tries = 0; tries < TakeoversMax; tries++)
            {
                var error = message.IsGone || IsGoodbye(device, message)
                    ? await LeaveAsync(device, message)
                    : await SendAsync(device, message);
                if (error is null)
                {
                    return true;
                }

                if (error.Reason != ReasonCodes.TakenOver)
                {
                    return !ReasonCodes.IsNotNow(error);
                }

                device.Detach(device.Session.Epoch, DisconnectReason.TakenOver);
            }

            return false;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Whatever the fault is, the message is not committed as far as we know.
            LogFault(logger, exception, device.Address.Device.Value, message.Kind);
            return false;
        }
    }

    private async Task<FleetError?> SendAsync(BrokerDevice device, BrokerMessage message)
    {
        if (message is { Kind: UpKind.Unspecified, AxisRest: null })
        {
            var foreign = DeviceMessageErrors.TopicNotAllowed(device.Address.Device);
            return Reject(device, UpKind.Unspecified, default, foreign);
        }

        var read = Read(device, message, device.Session);
        device.Form = read.Form;
        if (read.Error is { } invalid)
        {
            if (message.AxisRest is not null)
            {
                counts.ReceivedEvent(null, "refused");
            }

            return Reject(device, message.Kind, read.Stamp, invalid);
        }

        // A hello comes with a new connection to the broker: older sessions of the device are over, wherever they are.
        // And where it would be closed at the devices' own doors, it is judged as there.
        if (message.Kind == UpKind.Hello || !device.IsAttached || gate.IsLost(device.Partition))
        {
            if (await AttachAsync(device, joins: message.Kind != UpKind.Hello) is { } refused)
            {
                return ReasonCodes.IsNotNow(refused) ? refused : Reject(device, message.Kind, read.Stamp, refused);
            }

            read = Read(device, message, device.Session);
        }

        var reply = await read.SendAsync(device.Grain);
        if (reply.Error is { } error)
        {
            return ReasonCodes.IsNotNow(error) ? error : Refused(device, message, read.Stamp, error);
        }

        NoteCommitted(device, message.Kind, read);
        if (reply.OwesAck)
        {
            outbox.Put(device, new AckMessage(message.Kind, read.Stamp));
        }

        return null;
    }

    private void NoteCommitted(BrokerDevice device, UpKind kind, in UpMessage read)
    {
        counts.Received(kind, "committed");
        if (read.Native is { } native)
        {
            counts.ReceivedEvent(native.Signal?.Kind, native.Signal is null ? "unknown" : "read");
        }

        if (read.Status is { } status)
        {
            devices.MarkChanged(device, status.Health);
        }
    }

    /// <summary>
    /// The broker says that the device is gone: a session of its own that ends at once leaves no other gateway with an open one.
    /// </summary>
    private async Task<FleetError?> LeaveAsync(BrokerDevice device, BrokerMessage message)
    {
        if (await AttachAsync(device, joins: false) is { } refused)
        {
            // Who has no session cannot lose it.
            return ReasonCodes.IsNotNow(refused) ? refused : null;
        }

        if (message.AxisRest is not null)
        {
            counts.ReceivedEvent(null, "unknown");
        }

        var session = device.Session;
        await device.Grain.DisconnectAsync(session);
        var length = Math.Min(message.Payload.Length, LastWillMax);
        var words = length == 0 ? null : ShownText.OneLine(Encoding.UTF8.GetString(message.Payload.AsSpan(0, length)), LastWillMax);
        device.Detach(session.Epoch, DisconnectReason.ConnectionLost, words);
        devices.MarkChanged(device, null);
        return null;
    }

    private async Task<FleetError?> AttachAsync(BrokerDevice device, bool joins)
    {
        if (await gate.CheckAsync(device.Partition) is { } unknown)
        {
            return unknown;
        }

        var gateway = reference.Value;
        var reply = await device.Grain.AdmitAsync(
            new AdmitSession(device.Identity, Receives: true, gateway, devices.GatewayId) { Joins = joins });
        if (reply.Error is { } error)
        {
            return error;
        }

        device.Attach(new SessionRef(devices.GatewayId, reply.Epoch, gateway));
        devices.MarkChanged(device, null);
        return null;
    }

    /// <summary>
    /// The grain tells the device of a refusal, unless it has no session for it any more, or the words were its maker's: those it does not
    /// answer, and no PUBACK of ours reaches the device from here.
    /// </summary>
    private FleetError? Refused(BrokerDevice device, BrokerMessage message, MessageStamp stamp, FleetError error)
    {
        var kind = message.Kind;
        if (ReasonCodes.EndsTheSession(error))
        {
            device.Detach(long.MaxValue, DisconnectReason.ClosedByServer);
            devices.MarkChanged(device, null);
            return Reject(device, kind, stamp, error);
        }

        if (message.AxisRest is not null)
        {
            return Reject(device, kind, stamp, error);
        }

        counts.Received(kind, "refused");
        LogRefused(logger, device.Address.Device.Value, kind, error.Reason);
        return null;
    }

    /// <summary>Refused for ever, and the gateway itself says so.</summary>
    private FleetError? Reject(BrokerDevice device, UpKind kind, MessageStamp stamp, FleetError error)
    {
        counts.Received(kind, "refused");
        LogRefused(logger, device.Address.Device.Value, kind, error.Reason);
        outbox.Put(device, new RejectionMessage(kind, stamp, error));
        return null;
    }

    /// <summary>
    /// A disconnect message or a last will of AXIS OS. Its connect message is an event like any other: who says something is there.
    /// </summary>
    private static bool IsGoodbye(BrokerDevice device, BrokerMessage message) => message.AxisRest is { } rest
        && AxisMessageReader.Read(
            new ReadOnlySequence<byte>(rest), new ReadOnlySequence<byte>(message.Payload), device.Address.Device).IsConnected == false;

    private static UpMessage Read(BrokerDevice device, BrokerMessage message, SessionRef session)
    {
        var payload = new ReadOnlySequence<byte>(message.Payload);
        if (message.AxisRest is not { } rest)
        {
            return UpMessageReader.Read(message.Kind, payload, device.Identity, session);
        }

        // An event names no form: what the device is told keeps the one of its own messages.
        var (signal, invalid) = AxisMessageReader.Read(new ReadOnlySequence<byte>(rest), payload, device.Address.Device);
        return new UpMessage(device.Form, default, invalid) { Native = new ReportNativeEvent(device.Identity, session, signal) };
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A {Kind} of device {DeviceId} could not be handled now; it is tried again")]
    private static partial void LogFault(ILogger logger, Exception exception, string deviceId, UpKind kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "A '{Kind}' of device {DeviceId} is refused: {Reason}")]
    private static partial void LogRefused(ILogger logger, string deviceId, UpKind kind, string reason);
}
