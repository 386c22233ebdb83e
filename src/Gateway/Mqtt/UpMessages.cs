using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// What a device publishes, with its three endings: committed (PUBACK 0), refused for ever (PUBACK with a reason), not
/// possible now (no PUBACK, closed). The grain itself sends ack, desired, command and rejection to the receiving session; the
/// gateway adds a rejection only for what never reached the grain.
/// </summary>
internal sealed partial class UpMessages(
    IGrainFactory grains,
    SessionRegistry registry,
    SessionAdmission admissions,
    DeviceCalls calls,
    GatewayInstruments instruments,
    ILogger<UpMessages> logger)
{
    /// <summary>Handles one PUBLISH; false when the session is over. The frame is read before this returns.</summary>
    public ValueTask<bool> HandleAsync(MqttSession session, in Frame frame)
    {
        if (!PublishFrame.TryRead(frame, session.Channel.IsVersion5, out var publish))
        {
            return ValueTask.FromResult(Refuse(session, MqttDisconnectReasonCode.MalformedPacket, "This is not an MQTT packet."));
        }

        if (FindProtocolError(session, publish) is { } problem)
        {
            return ValueTask.FromResult(Refuse(session, problem.Code, problem.Text));
        }

        if (!TryReadTopic(session, publish, out var topic, out var kind, out var rest))
        {
            return ValueTask.FromResult(Refuse(session, MqttDisconnectReasonCode.TopicAliasInvalid, "This topic alias has no topic."));
        }

        if (topic == UpTopicStatus.Axis)
        {
            return HandleAxisAsync(session, publish, rest);
        }

        if (topic != UpTopicStatus.Own)
        {
            var code = topic == UpTopicStatus.Foreign ? MqttPubAckReasonCode.NotAuthorized : MqttPubAckReasonCode.TopicNameInvalid;
            var error = DeviceMessageErrors.TopicNotAllowed(session.Address.Device);
            return RefuseAsync(session, publish.PacketId, new RejectionMessage(UpKind.Unspecified, default, error), code);
        }

        var message = UpMessageReader.Read(kind, publish.Payload, session.Identity, session.Reference);
        session.Device.Form = message.Form;
        return message.Error is { } invalid
            ? RefuseAsync(session, publish.PacketId, new RejectionMessage(kind, message.Stamp, invalid), ReasonCodes.OfPublish(invalid))
            : SendAsync(session, publish, kind, message);
    }

    /// <summary>By its name, or by the alias that stood beside it in an earlier message; false for an alias that never did.</summary>
    private static bool TryReadTopic(
        MqttSession session, in PublishFrame publish, out UpTopicStatus topic, out UpKind kind, out ReadOnlySequence<byte> rest)
    {
        if (publish.Topic.IsEmpty)
        {
            return session.Aliases.TryFind(publish.TopicAlias, out topic, out kind, out rest);
        }

        topic = session.Topic.Read(publish.Topic, out kind, out rest);
        if (publish.TopicAlias != PublishFrame.NoTopicAlias)
        {
            session.Aliases.Set(publish.TopicAlias, topic, kind, rest);
        }

        return true;
    }

    /// <summary>
    /// What AXIS OS says by itself: an event that does not concern the fleet is counted and acknowledged, but asked about too, because
    /// the device may be a tombstone.
    /// </summary>
    private ValueTask<bool> HandleAxisAsync(MqttSession session, in PublishFrame publish, in ReadOnlySequence<byte> rest)
    {
        var read = AxisMessageReader.Read(rest, publish.Payload, session.Address.Device);
        var (signal, invalid) = read;
        if (invalid is not null)
        {
            instruments.ReceivedEvent(null, "refused");
            var rejection = new RejectionMessage(UpKind.Unspecified, default, invalid);
            return RefuseAsync(session, publish.PacketId, rejection, ReasonCodes.OfPublish(invalid));
        }

        // That it is connected is seen here; that it goes tells an end from a loss.
        session.SaysItGoes = read.IsConnected is { } isConnected ? !isConnected : session.SaysItGoes;
        instruments.ReceivedEvent(signal?.Kind, signal is null ? "unknown" : "read");
        var native = new ReportNativeEvent(session.Identity, session.Reference, signal);
        var message = new UpMessage(session.Device.Form, default, null) { Native = native };
        return SendAsync(session, publish, UpKind.Unspecified, message);
    }

    /// <summary>Within a trace when the device named one and somebody collects them.</summary>
    private ValueTask<bool> SendAsync(MqttSession session, in PublishFrame publish, UpKind kind, UpMessage message) =>
        DeviceTraces.TryReadParent(publish, out var parent)
            ? SendTracedAsync(session, publish.PacketId, kind, message, parent)
            : SendAsync(session, publish.PacketId, kind, message);

    private async ValueTask<bool> SendTracedAsync(
        MqttSession session, ushort packetId, UpKind kind, UpMessage message, ActivityContext parent)
    {
        using var activity = DeviceTraces.Start(session, kind, parent);
        var goesOn = await SendAsync(session, packetId, kind, message);
        activity?.SetStatus(goesOn ? ActivityStatusCode.Unset : ActivityStatusCode.Error);
        return goesOn;
    }

    /// <summary>The way of every message: one suspension, whose state is pooled.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> SendAsync(MqttSession session, ushort packetId, UpKind kind, UpMessage message)
    {
        FleetError? error;
        var owesAck = false;
        calls.Begin();
        try
        {
            var reply = await message.SendAsync(session.Grain);
            (error, owesAck) = (reply.Error, reply.OwesAck);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Whatever the fault is, the message is not committed as far as we know: no PUBACK, the device repeats it.
            admissions.NoteFault();
            LogFault(logger, exception, session.ClientId, kind);
            error = DeviceMessageErrors.Unavailable();
        }
        finally
        {
            calls.End();
        }

        if (error is null)
        {
            NoteCommitted(session, kind, message);
            await session.AcknowledgeAsync(packetId, owesAck ? new AckMessage(kind, message.Stamp) : null);
            return true;
        }

        if (ReasonCodes.IsNotNow(error))
        {
            instruments.Received(kind, "not-now");
            session.Close(ReasonCodes.OfNotNow(error), error);
            return false;
        }

        instruments.Received(kind, "refused");
        LogRefused(logger, session.ClientId, kind, error.Reason);
        await AcknowledgeAsync(session, packetId, error, ReasonCodes.OfPublish(error));
        if (!ReasonCodes.EndsTheSession(error))
        {
            return true;
        }

        // The grain closes the sessions that it knows; one that only publishes, at another gateway, ends with its next word.
        session.Close(MqttDisconnectReasonCode.AdministrativeAction, error);
        return false;
    }

    /// <summary>What the session itself keeps of a message that is committed.</summary>
    private void NoteCommitted(MqttSession session, UpKind kind, in UpMessage message)
    {
        instruments.Received(kind, "committed");
        if (message.Native is null)
        {
            // An event of AXIS OS names no boot: it takes nothing back that was said before.
            session.Boot = message.Stamp.BootId;
        }

        if (kind == UpKind.Hello)
        {
            session.Device.SaidHello(session.Order, session.Boot);
        }

        if (message.Status is { } status)
        {
            registry.MarkChanged(session.Device, status.Health);
        }
    }

    /// <summary>Refused before it reached the grain: PUBACK says why, and so does a rejection to the receiving session.</summary>
    private async ValueTask<bool> RefuseAsync(
        MqttSession session, ushort packetId, RejectionMessage rejection, MqttPubAckReasonCode code)
    {
        instruments.Received(rejection.Kind, "refused");
        LogRefused(logger, session.ClientId, rejection.Kind, rejection.Error.Reason);
        if (!session.Device.DeliverOwn(rejection))
        {
            _ = DeliverElsewhereAsync(session, rejection);
        }

        await AcknowledgeAsync(session, packetId, rejection.Error, code);
        return true;
    }

    /// <summary>The receiving session is on another gateway: presence knows which.</summary>
    private async Task DeliverElsewhereAsync(MqttSession session, RejectionMessage rejection)
    {
        try
        {
            var (tenant, device) = session.Address;
            var presence = await grains.GetInventory(session.Device.Partition).FindPresenceAsync(tenant, device);
            if (presence is { Connected: true, Gateway: { } gateway } seen)
            {
                await gateway.DeliverAsync(new DownDelivery(tenant, device, seen.Epoch, rejection));
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // A rejection may be lost: the PUBACK has said it already, and an MQTT 3.1.1 device repeats and is refused again.
            LogRejectionLost(logger, exception, session.ClientId);
        }
    }

    private static async ValueTask AcknowledgeAsync(MqttSession session, ushort packetId, FleetError error, MqttPubAckReasonCode code)
    {
        if (packetId == 0 || !session.Channel.IsVersion5)
        {
            await session.AcknowledgeAsync(packetId, null);
            return;
        }

        var packet = new MqttPubAckPacket
        {
            PacketIdentifier = packetId,
            ReasonCode = code,
            ReasonString = session.Limits.WantsReasons ? ReasonCodes.TextOf(error) : null,
        };
        if (!await session.Channel.SendAsync(packet))
        {
            // The words do not fit the client's packets (MQTT 5, 3.4.2.2.2); the code alone does.
            packet.ReasonString = null;
            await session.Channel.SendAsync(packet);
        }
    }

    private static (MqttDisconnectReasonCode Code, string Text)? FindProtocolError(MqttSession session, in PublishFrame publish)
    {
        if (publish.Qos == 2)
        {
            return (MqttDisconnectReasonCode.QoSNotSupported, "The highest QoS is 1.");
        }

        if (publish.TopicAlias != PublishFrame.NoTopicAlias && !TopicAliases.IsInRange(publish.TopicAlias))
        {
            return (MqttDisconnectReasonCode.TopicAliasInvalid, $"Topic aliases are 1 to {TopicAliases.Max}.");
        }

        if (publish.Topic.IsEmpty && publish.TopicAlias == PublishFrame.NoTopicAlias)
        {
            return (MqttDisconnectReasonCode.ProtocolError, "It has neither a topic nor an alias.");
        }

        return null;
    }

    private static bool Refuse(MqttSession session, MqttDisconnectReasonCode code, string text)
    {
        session.Close(code, FleetError.Of(ErrorKind.Invalid, "REQUEST_INVALID", text));
        return false;
    }
}
