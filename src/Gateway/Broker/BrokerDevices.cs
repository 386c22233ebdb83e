using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Mqtt;
using Muster.Gateway.Revocations;

namespace Muster.Gateway.Broker;

/// <summary>The devices that this gateway hears through the broker.</summary>
internal sealed class BrokerDevices(PartitionMap partitions, IGrainFactory grains, IOptions<BrokerOptions> options, TimeProvider clock)
    : ISessionsBehind
{
    /// <summary>How long a device that has no session is remembered: its pace must not begin anew with every message.</summary>
    private static readonly TimeSpan MemoryMin = TimeSpan.FromMinutes(1);

    /// <summary>A look for places costs milliseconds where there are 500,000 devices, and whoever comes would order one.</summary>
    private static readonly TimeSpan RoomInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<DeviceId, BrokerDevice> _devices = new();
    private readonly Lock _creating = new();
    private readonly ConcurrentQueue<BrokerDevice> _changed = new();
    private readonly long _ticksPerMessage = Math.Max(1, clock.TimestampFrequency / options.Value.MessagesPerSecond);
    private long _roomAt;

    /// <summary>A broker sees serials and no tenants: an installation with several has none.</summary>
    private readonly TenantId _tenant = TenantId.Default;

    /// <summary>Unique per process start, and another than that of the connections: each tells its own sessions, whole.</summary>
    public string GatewayId { get; } = $"{Environment.MachineName}-broker-{Guid.CreateVersion7():N}";

    public IEnumerable<BrokerDevice> All => _devices.Values;

    public int Count => _devices.Count;

    /// <summary>
    /// The device's place; null when there are too many. Who has no session, because his device's grain let him have none or he left, gives
    /// his place to the next: nobody is kept out by strangers that a broker lets in.
    /// </summary>
    public BrokerDevice? Get(DeviceId device)
    {
        if (_devices.TryGetValue(device, out var known))
        {
            return known;
        }

        lock (_creating)
        {
            if (_devices.Count >= options.Value.DevicesMax)
            {
                MakeRoom();
            }

            return _devices.Count < options.Value.DevicesMax ? _devices.GetOrAdd(device, Create) : null;
        }
    }

    /// <summary>One that has no place, to be told so.</summary>
    public BrokerDevice Unplaced(DeviceId device) => Create(device);

    public BrokerDevice? Find(TenantId tenant, DeviceId device) =>
        tenant == _tenant && _devices.TryGetValue(device, out var known) ? known : null;

    public DeviceIdentity? Find(DeviceAddress address) =>
        Find(address.Tenant, address.Device) is { IsAttached: true } device ? device.Identity : null;

    public IEnumerable<DeviceAddress> Of(int partition) =>
        All.Where(device => device.IsAttached && device.Partition == partition).Select(device => device.Address);

    /// <summary>
    /// A message whose device was let in before and comes here after this opens the session again, but not for long: the message is the
    /// record's to refuse, and its refusal ends the session.
    /// </summary>
    public bool End(DeviceAddress address)
    {
        if (Find(address.Tenant, address.Device) is not { } device || !device.Detach(long.MaxValue, DisconnectReason.ClosedByServer))
        {
            return false;
        }

        MarkChanged(device, null);
        return true;
    }

    public void Drop(BrokerDevice device) => _devices.TryRemove(KeyValuePair.Create(device.Address.Device, device));

    public void MarkChanged(BrokerDevice device, DeviceHealth? health)
    {
        if (device.MarkDirty(health))
        {
            _changed.Enqueue(device);
        }
    }

    public bool TryTakeChanged(out BrokerDevice device) => _changed.TryDequeue(out device!);

    /// <summary>Ends the sessions of those that were silent for too long, and forgets those that have none.</summary>
    public void Sweep()
    {
        var now = clock.GetUtcNow();
        foreach (var device in All)
        {
            // The grain is not told: another gateway may hear the device, and presence expires by itself.
            if (now - device.LastSeenAt > options.Value.SilenceMax && device.Detach(long.MaxValue, DisconnectReason.KeepAliveTimeout))
            {
                MarkChanged(device, null);
            }

            Forget(device);
        }
    }

    public void Forget(BrokerDevice device) => Forget(device, clock.GetUtcNow() - MemoryMin);

    private void Forget(BrokerDevice device, DateTimeOffset seenBefore)
    {
        if (device.TryRemove(seenBefore))
        {
            Drop(device);
        }
    }

    private void MakeRoom()
    {
        var now = clock.GetTimestamp();
        if (_roomAt == 0 || clock.GetElapsedTime(_roomAt, now) >= RoomInterval)
        {
            _roomAt = now;
            foreach (var device in All)
            {
                Forget(device, DateTimeOffset.MaxValue);
            }
        }
    }

    private BrokerDevice Create(DeviceId device)
    {
        var created = new BrokerDevice(
            new DeviceAddress(_tenant, device),
            partitions.OfDevice(DeviceKey.Of(_tenant, device)),
            new RateGate(_ticksPerMessage, options.Value.MessagesBurst),
            grains.GetDevice(_tenant, device));
        created.Seen(clock.GetUtcNow());
        return created;
    }
}

/// <summary>Their sessions, as partitions are told of them.</summary>
internal sealed class BrokerPresenceSource(BrokerDevices devices, BrokerReference reference) : IPresenceSource
{
    public string GatewayId => devices.GatewayId;

    public IGatewayObserver Observer => reference.Value;

    public int ChangedMax => devices.Count * 2 + 1;

    public IEnumerable<IPresentDevice> Present => devices.All.Where(device => device.IsAttached);

    public bool TryTakeChanged(out IPresentDevice device)
    {
        var isTaken = devices.TryTakeChanged(out var changed);
        device = changed;
        return isTaken;
    }

    public void MarkChanged(IPresentDevice device) => devices.MarkChanged((BrokerDevice)device, null);

    public void Forget(IPresentDevice device) => devices.Forget((BrokerDevice)device);
}
