using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Broker;

/// <summary>The devices that this gateway hears through the broker.</summary>
internal sealed class BrokerDevices(PartitionMap partitions, IGrainFactory grains, IOptions<BrokerOptions> options, TimeProvider clock)
{
    /// <summary>How long a device that has no session is remembered: its pace must not begin anew with every message.</summary>
    private static readonly TimeSpan MemoryMin = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<DeviceId, BrokerDevice> _devices = new();
    private readonly ConcurrentQueue<BrokerDevice> _changed = new();
    private readonly long _ticksPerMessage = Math.Max(1, clock.TimestampFrequency / options.Value.MessagesPerSecond);

    /// <summary>A broker sees serials and no tenants: an installation with several has none.</summary>
    private readonly TenantId _tenant = TenantId.Default;

    /// <summary>Unique per process start, and another than that of the connections: each tells its own sessions, whole.</summary>
    public string GatewayId { get; } = $"{Environment.MachineName}-broker-{Guid.CreateVersion7():N}";

    public IEnumerable<BrokerDevice> All => _devices.Values;

    public int Count => _devices.Count;

    /// <summary>The device's place; null when there are too many.</summary>
    public BrokerDevice? Get(DeviceId device) => _devices.TryGetValue(device, out var known) ? known
        : _devices.Count >= options.Value.DevicesMax ? null
        : _devices.GetOrAdd(device, Create);

    public BrokerDevice? Find(TenantId tenant, DeviceId device) =>
        tenant == _tenant && _devices.TryGetValue(device, out var known) ? known : null;

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

    public void Forget(BrokerDevice device)
    {
        if (device.TryRemove(clock.GetUtcNow() - MemoryMin))
        {
            Drop(device);
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
