using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Fleet;

namespace Muster.InventoryLoad;

/// <summary>A gateway that has a session of every device, takes what is sent and says nothing.</summary>
internal sealed class SilentGateway(IGrainFactory grains, PartitionMap partitions, int devices) : IGatewayObserver
{
    private const string GatewayId = "bench";
    private const int AdmissionsAtOnce = 256;

    /// <summary>As a gateway repeats it.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<DeviceId, long> _offeredAt = new();
    private readonly ConcurrentDictionary<DeviceId, byte> _ignored = new();
    private readonly long[] _epochs = [.. Enumerable.Repeat(1L, devices)];
    private IGatewayObserver? _self;

    /// <summary>Devices that were sent a desired state, each once.</summary>
    public int Offered => _offeredAt.Count;

    public long FirstOfferAt => _offeredAt.Values.Min();

    public long LastOfferAt => _offeredAt.Values.Max();

    /// <summary>What was sent so far does not count.</summary>
    public void Forget()
    {
        foreach (var device in _offeredAt.Keys)
        {
            _ignored.TryAdd(device, 0);
        }

        _offeredAt.Clear();
    }

    public Task DeliverAsync(DownDelivery delivery)
    {
        if (!_ignored.ContainsKey(delivery.Device))
        {
            _offeredAt.TryAdd(delivery.Device, Stopwatch.GetTimestamp());
        }

        return Task.CompletedTask;
    }

    public Task CloseAsync(CloseSession close) => Task.CompletedTask;

    /// <summary>
    /// Opens a session with each device that may have one: its grain is active then and knows it, as those of connected ones do.
    /// </summary>
    public Task AdmitAsync(CancellationToken cancellationToken)
    {
        _self ??= grains.CreateObjectReference<IGatewayObserver>(this);
        var fleet = new GeneratedFleet(StoreFill.Seed);
        var options = new ParallelOptions { MaxDegreeOfParallelism = AdmissionsAtOnce, CancellationToken = cancellationToken };
        return Parallel.ForAsync(0, devices, options, async (index, _) =>
        {
            var command = new AdmitSession(fleet.Create(index).Identity!, Receives: true, _self, GatewayId);
            _epochs[index] = (await DeviceEdits.DeviceAt(grains, index).AdmitAsync(command)).Epoch;
        });
    }

    /// <summary>Tells its presence once; whoever waits longer than a minute calls <see cref="KeepAsync"/> beside.</summary>
    public async Task ReportAsync()
    {
        _self ??= grains.CreateObjectReference<IGatewayObserver>(this);
        var now = TimeProvider.System.GetUtcNow();
        var sessions = Enumerable.Range(0, devices)
            .Where(index => _epochs[index] > 0)
            .Select(index => new SessionPresence(
                TenantId.Default, IdOf(index), _epochs[index], true, now, null, DisconnectReason.Unspecified))
            .GroupBy(session => partitions.OfDevice(DeviceKey.Of(session.Tenant, session.Device)));
        foreach (var partition in sessions)
        {
            foreach (var some in partition.Chunk(PresenceReport.SessionsMax))
            {
                var report = new PresenceReport(GatewayId, _self, IsFull: false, some.ToImmutableArray());
                await grains.GetInventory(partition.Key).ReportPresenceAsync(report);
            }
        }
    }

    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await ReportAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }

    private static DeviceId IdOf(int index) =>
        DeviceId.TryParse(GeneratedFleet.NameOf(index), out var id) ? id : throw new FormatException();
}
