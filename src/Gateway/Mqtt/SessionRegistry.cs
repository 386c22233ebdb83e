using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// All sessions of this gateway, found by device and never by scanning: a delivery costs one look-up however many are connected.
/// </summary>
internal sealed class SessionRegistry(PartitionMap partitions, IOptions<MqttOptions> options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<DeviceAddress, DeviceSessions> _devices = new();
    private readonly ConcurrentDictionary<MqttSession, byte> _sessions = new();
    private readonly ConcurrentQueue<DeviceSessions> _changed = new();
    private readonly long _ticksPerMessage = clock.TimestampFrequency / options.Value.MessagesPerSecond;
    private readonly SharedRateGate _total = new(
        Math.Max(1, clock.TimestampFrequency / options.Value.TotalMessagesPerSecond),
        Math.Max(1, options.Value.TotalMessagesPerSecond / 10));
    private int _connections;

    /// <summary>The gateway's name, unique per process start.</summary>
    public string GatewayId { get; } = $"{Environment.MachineName}-{Guid.CreateVersion7():N}";

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Looked through without a copy.</summary>
    public IEnumerable<MqttSession> Sessions => _sessions.Select(pair => pair.Key);

    public IEnumerable<DeviceSessions> Devices => _devices.Values;

    /// <summary>Counts a connection; false when there are too many.</summary>
    public bool TryOpen() => Interlocked.Increment(ref _connections) <= options.Value.ConnectionsMax;

    public void Closed() => Interlocked.Decrement(ref _connections);

    /// <summary>Finds the device's place and holds one for the session; null when it has as many as it may.</summary>
    public DeviceSessions? Reserve(MqttSession session)
    {
        while (true)
        {
            var entry = _devices.GetOrAdd(session.Address, Create);
            switch (entry.Reserve(session))
            {
                case ReserveStatus.Reserved:
                    return entry;
                case ReserveStatus.Full:
                    return null;
                default:
                    _devices.TryRemove(KeyValuePair.Create(session.Address, entry));
                    break;
            }
        }
    }

    public bool TryActivate(MqttSession session, out MqttSession? replaced)
    {
        if (!session.Device.TryActivate(session, out replaced))
        {
            return false;
        }

        _sessions[session] = 0;
        if (session.Receives)
        {
            MarkChanged(session.Device, null);
        }

        return true;
    }

    public bool Detach(MqttSession session)
    {
        _sessions.TryRemove(session, out _);
        var received = session.Device.Detach(session);
        if (received)
        {
            MarkChanged(session.Device, null);
        }

        Forget(session.Device);
        return received;
    }

    public void MarkChanged(DeviceSessions device, DeviceHealth? health)
    {
        if (device.MarkDirty(health))
        {
            _changed.Enqueue(device);
        }
    }

    public bool TryTakeChanged(out DeviceSessions device) => _changed.TryDequeue(out device!);

    /// <summary>Drops the entry of a device that has no connection left and nothing to tell.</summary>
    public void Forget(DeviceSessions device)
    {
        if (device.TryRemove())
        {
            _devices.TryRemove(KeyValuePair.Create(device.Address, device));
        }
    }

    public bool Deliver(DownDelivery delivery) =>
        _devices.TryGetValue(new DeviceAddress(delivery.Tenant, delivery.Device), out var device)
        && device.Deliver(delivery.Epoch, delivery.Message);

    public IReadOnlyList<MqttSession> FindToClose(CloseSession close) =>
        _devices.TryGetValue(new DeviceAddress(close.Tenant, close.Device), out var device)
            ? device.FindToClose(close.EpochMax, close.All)
            : [];

    /// <summary>True while a session of the device that gets down messages is here.</summary>
    public bool IsReceiving(DeviceAddress address) => _devices.TryGetValue(address, out var device) && device.IsReceiving;

    public bool Has(DeviceAddress address) => _devices.ContainsKey(address);

    /// <summary>All of the device's, also those that are not admitted yet.</summary>
    public IReadOnlyList<MqttSession> SessionsOf(DeviceAddress address) =>
        _devices.TryGetValue(address, out var device) ? device.FindToClose(0, all: true) : [];

    private DeviceSessions Create(DeviceAddress address) => new(
        address,
        partitions.OfDevice(DeviceKey.Of(address.Tenant, address.Device)),
        new RateGate(_ticksPerMessage, options.Value.MessagesBurst),
        new RateGate(clock.TimestampFrequency / DeviceSessions.QuietPerSecond, DeviceSessions.QuietBurst),
        _total);
}
