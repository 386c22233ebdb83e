using System.Buffers;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Packets;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;
using Muster.Gateway.Devices;
using Muster.Gateway.Mqtt;
using Muster.Protocol;

namespace Muster.Gateway.Broker;

/// <summary>
/// What comes from the broker, sorted by device: each device's messages are handled in the order they came, and no device waits for
/// another. What is here is bounded by the Receive Maximum, and by a limit for each device.
/// </summary>
internal sealed partial class BrokerInbox(
    BrokerDevices devices,
    BrokerMessages messages,
    BrokerOutbox outbox,
    BrokerInstruments instruments,
    GatewayInstruments counts,
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILogger<BrokerInbox> logger)
{
    /// <summary>A device that sends too much is told, but not as often as it sends.</summary>
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(1);

    private int _waiting;
    private long _unplacedToldAt;

    /// <summary>Completed, and forgotten, when nothing waits; null while nobody waits for that.</summary>
    private TaskCompletionSource? _settled;

    /// <summary>Takes one message over; returns at once.</summary>
    public void Take(MqttApplicationMessageReceivedEventArgs source, CancellationToken over)
    {
        var published = source.ApplicationMessage;
        ReadOnlyMemory<byte>? axis = null;
        if (!TryReadTopic(published.Topic, out var id, out var kind, out var isGone)
            && options.Value.AxisEvents && AxisTopic.TryParse(published.Topic, out id, out var rest))
        {
            axis = rest;
        }

        if (id == default || !IsVouchedFor(published, id))
        {
            // Nobody who could be told: the broker's own rules should have refused it.
            LogStray(logger, ShownText.OneLine(published.Topic, 200));
            counts.Received(UpKind.Unspecified, "refused");
            Settle(new BrokerMessage(kind, isGone, [], source, over));
            return;
        }

        if (published.Retain)
        {
            // What the broker kept was said at some time before: nobody is there because of it, and nobody is gone. What is published as
            // retained now comes without this mark (MQTT 5, 3.3.1.3).
            counts.Received(kind, "retained");
            Settle(new BrokerMessage(kind, isGone, [], source, over));
            return;
        }

        var message = new BrokerMessage(kind, isGone, published.Payload.ToArray(), source, over) { AxisRest = axis };
        if (message.IsQos0 && Volatile.Read(ref _waiting) >= options.Value.ReceiveMax * options.Value.Connections)
        {
            // QoS 0 may be lost; nothing else would bound it.
            instruments.DroppedUp();
            return;
        }

        Put(id, message);
    }

    /// <summary>Waits until all that was taken is settled, but not for long.</summary>
    public async Task FinishAsync(TimeSpan limit)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var settled = Interlocked.CompareExchange(ref _settled, mine, null) ?? mine;
        if (Volatile.Read(ref _waiting) == 0)
        {
            return;
        }

        try
        {
            await settled.Task.WaitAsync(limit, clock);
        }
        catch (TimeoutException)
        {
            // A grain does not answer: the broker keeps its device's messages.
        }
    }

    private void Put(DeviceId id, BrokerMessage message)
    {
        // Before it is in its lane, where it may be done at once: the count is never below what waits.
        Count(1);
        while (true)
        {
            if (devices.Get(id) is not { } device)
            {
                RefuseUnplaced(id, message);
                Count(-1);
                return;
            }

            switch (device.Put(message, options.Value.DeviceMessagesMax))
            {
                case LaneStatus.Started:
                    _ = Task.Run(() => RunAsync(device));
                    return;
                case LaneStatus.Waits:
                    return;
                case LaneStatus.Removed:
                    devices.Drop(device);
                    break;
                default:
                    Refuse(device, message);
                    Count(-1);
                    return;
            }
        }
    }

    private async Task RunAsync(BrokerDevice device)
    {
        while (device.Next() is { } message)
        {
            try
            {
                await messages.HandleAsync(device, message);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // A bug. Not acknowledged: the broker has it, and sends it with the next connection.
                LogFault(logger, fault, device.Address.Device.Value);
            }

            device.Done();
            Count(-1);
        }
    }

    private void Refuse(BrokerDevice device, BrokerMessage message)
    {
        instruments.DroppedUp();
        counts.Received(message.Kind, "refused");
        var now = clock.GetTimestamp();
        if (device.ToldAt == 0 || clock.GetElapsedTime(device.ToldAt, now) >= TellInterval)
        {
            device.ToldAt = now;
            Tell(device, message, DeviceMessageErrors.LimitReached("messages of one device", options.Value.DeviceMessagesMax));
        }

        Settle(message);
    }

    /// <summary>Of all who find no place one is told in a second: there is nothing here to remember by who was told.</summary>
    private void RefuseUnplaced(DeviceId id, BrokerMessage message)
    {
        instruments.DroppedUp();
        counts.Received(message.Kind, "refused");
        var (now, told) = (clock.GetTimestamp(), Volatile.Read(ref _unplacedToldAt));
        if ((told == 0 || clock.GetElapsedTime(told, now) >= TellInterval)
            && Interlocked.CompareExchange(ref _unplacedToldAt, now, told) == told)
        {
            LogFull(logger, options.Value.DevicesMax, id.Value);
            Tell(devices.Unplaced(id), message, DeviceMessageErrors.LimitReached("devices of the broker", options.Value.DevicesMax));
        }

        Settle(message);
    }

    private void Tell(BrokerDevice device, BrokerMessage message, FleetError error)
    {
        var read = message.IsGone || message.Kind == UpKind.Unspecified ? default
            : UpMessageReader.Read(message.Kind, new ReadOnlySequence<byte>(message.Payload), device.Identity, device.Session);
        outbox.Put(device, new RejectionMessage(message.Kind, read.Stamp, error));
    }

    private bool IsVouchedFor(MqttApplicationMessage published, DeviceId device)
    {
        var name = options.Value.IdentityProperty;
        if (name.Length == 0)
        {
            return true;
        }

        // Exactly one: a device could add one of its own to a broker that only adds. It is the certificate's common name, which is the id
        // as it stands in topics; read as a serial, that of a device with other letters would be encoded once more, and nobody's.
        List<MqttUserProperty> named = published.UserProperties?.FindAll(property => property.Name == name) ?? [];
        return named.Count == 1 && named[0].ReadValueAsString() == device.Value;
    }

    private static bool TryReadTopic(string? topic, out DeviceId device, out UpKind kind, out bool isGone)
    {
        (device, kind, isGone) = (default, UpKind.Unspecified, false);
        if (!Topics.TryParseUp(topic, out var name, out var word) || !DeviceId.TryParse(name.ToString(), out device))
        {
            return false;
        }

        kind = word switch
        {
            Topics.Hello => UpKind.Hello,
            Topics.Status => UpKind.Status,
            Topics.Report => UpKind.Report,
            Topics.Inventory => UpKind.Inventory,
            Topics.Result => UpKind.Result,
            _ => UpKind.Unspecified,
        };
        isGone = word is Topics.Gone;
        return true;
    }

    private static void Settle(BrokerMessage message) => _ = message.AcknowledgeAsync();

    private void Count(int change)
    {
        instruments.Waiting.Add(change);
        if (Interlocked.Add(ref _waiting, change) == 0)
        {
            Interlocked.Exchange(ref _settled, null)?.TrySetResult();
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "The broker sent what no device may publish, on '{Topic}': look at its access rules")]
    private static partial void LogStray(ILogger logger, string topic);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "There are {DevicesMax} devices behind the broker: what {DeviceId} and others say is refused")]
    private static partial void LogFull(ILogger logger, int devicesMax, string deviceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of device {DeviceId} could not be handled")]
    private static partial void LogFault(ILogger logger, Exception fault, string deviceId);
}
