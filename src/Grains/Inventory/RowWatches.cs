using Muster.Contracts;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>Who watches this partition. Forgotten when they do not renew.</summary>
internal sealed class RowWatches
{
    /// <summary>Watchers renew every minute; three missed renewals are a watcher that is gone.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(3);

    /// <summary>How often those that did not renew are looked for.</summary>
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IRowWatcher, Watch> _watches = [];
    private readonly Dictionary<TenantId, WatchIndex> _devices = [];
    private DateTimeOffset _nextSweep;

    public bool IsEmpty => _watches.Count == 0;

    public int Partition { get; set; }

    /// <summary>The store went back in time: what watchers know may be newer than what is told from here on.</summary>
    public void Restart()
    {
        foreach (var watch in _watches.Values)
        {
            watch.Restart();
        }
    }

    /// <summary>The watch, new or renewed; null when there are too many watchers.</summary>
    public Watch? Put(IRowWatcher watcher, RowQuery query, InventoryFilter filter, DateTimeOffset now)
    {
        Sweep(now);
        if (_watches.TryGetValue(watcher, out var known) && known.Query == query)
        {
            known.ExpiresAt = now + Lifetime;
            return known;
        }

        if (known is null && _watches.Count >= RowQuery.WatchersMax)
        {
            return null;
        }

        var watch = new Watch(watcher, query, filter, now + Lifetime);
        _watches[watcher] = watch;
        _devices.Clear();
        return watch;
    }

    public void Remove(IRowWatcher watcher)
    {
        _watches.Remove(watcher);
        _devices.Clear();
    }

    /// <summary>Those whose filter matches the device as it is; asked before and after a change.</summary>
    public IReadOnlyCollection<Watch> Matching(TenantId tenant, DeviceColumns columns, int row, DateTimeOffset now)
    {
        if (_watches.Count == 0)
        {
            return [];
        }

        if (!_devices.TryGetValue(tenant, out var index) || !index.IsFor(columns))
        {
            var watches = _watches.Values.Where(watch => watch.Query.Kind == GrainTypes.Device && watch.Query.Tenant == tenant);
            _devices[tenant] = index = new WatchIndex(watches, columns, now);
        }

        return index.Matching(columns, row, now);
    }

    /// <summary>A device changed: those whose filter matches are told, and those whose filter has ceased to.</summary>
    public void Tell(TenantId tenant, DeviceColumns columns, int row, IReadOnlyCollection<Watch> before, DateTimeOffset now)
    {
        var after = Matching(tenant, columns, row, now);
        if (after.Count == 0 && before.Count == 0)
        {
            return;
        }

        var shown = DeviceTable.Show(tenant, columns, row, now);
        foreach (var watch in after)
        {
            Tell(watch, shown);
        }

        foreach (var watch in before.Except(after))
        {
            Tell(watch, shown with { HasLeft = true });
        }
    }

    /// <summary>
    /// A device came or went: those whose filter matches now are told, and those whose filter looks at presence and does not.
    /// </summary>
    public void TellPresence(TenantId tenant, DeviceColumns columns, int row, DateTimeOffset now)
    {
        var looking = _watches.Values
            .Where(watch => watch.Query.Kind == GrainTypes.Device && watch.Query.Tenant == tenant && watch.LooksAtPresence)
            .ToList();
        Tell(tenant, columns, row, looking, now);
    }

    /// <summary>A row of another kind changed.</summary>
    public void Tell(ListedRow changed, DateTimeOffset now)
    {
        foreach (var watch in _watches.Values)
        {
            if (watch.ExpiresAt > now && watch.Query.Kind == changed.Record.Kind && watch.Query.Tenant == changed.Row.Tenant)
            {
                Tell(watch, changed with { HasLeft = !watch.Filter.Matches(changed.Row, now) });
            }
        }
    }

    /// <summary>A row of another kind is there no more: those whose filter matched it are told that it left.</summary>
    public void TellGone(ListedRow gone, DateTimeOffset now)
    {
        foreach (var watch in _watches.Values)
        {
            if (watch.ExpiresAt > now && watch.Query.Kind == gone.Record.Kind && watch.Query.Tenant == gone.Row.Tenant
                && watch.Filter.Matches(gone.Row, now))
            {
                Tell(watch, gone with { HasLeft = true });
            }
        }
    }

    /// <summary>A device is there no more: those whose filter matched it are told that it left.</summary>
    public void TellGone(TenantId tenant, DeviceColumns columns, int row, IReadOnlyCollection<Watch> before, DateTimeOffset now)
    {
        foreach (var watch in before)
        {
            Tell(watch, DeviceTable.Show(tenant, columns, row, now) with { HasLeft = true });
        }
    }

    private void Tell(Watch watch, ListedRow row) =>
        _ = watch.Watcher.RowChangedAsync(new RowChange(Partition, watch.Lineage, ++watch.Told, row));

    private void Sweep(DateTimeOffset now)
    {
        if (now < _nextSweep)
        {
            return;
        }

        _nextSweep = now + SweepInterval;
        foreach (var (gone, _) in _watches.Where(watch => watch.Value.ExpiresAt <= now).ToList())
        {
            Remove(gone);
        }
    }
}

/// <summary>One watcher and what it watches.</summary>
internal sealed class Watch(IRowWatcher watcher, RowQuery query, InventoryFilter filter, DateTimeOffset expiresAt)
{
    private RowTest? _test;
    private DeviceColumns? _columns;
    private int _mapKeys;

    public IRowWatcher Watcher => watcher;

    public RowQuery Query => query;

    public InventoryFilter Filter => filter;

    public DateTimeOffset ExpiresAt { get; set; } = expiresAt;

    /// <summary>
    /// Of the numbers that it is told: new when the inventory was built again, and when the watcher was forgotten because it did not
    /// renew.
    /// </summary>
    public Guid Lineage { get; private set; } = Guid.NewGuid();

    /// <summary>The number of the newest change that it was told.</summary>
    public long Told { get; set; }

    public bool LooksAtPresence { get; } = filter.LooksAtPresence;

    /// <summary>See <see cref="InventoryFilter.FindRequired"/>.</summary>
    public FieldTest? Required { get; } = filter.FindRequired();

    /// <summary>See <see cref="InventoryFilter.FindGuard"/>.</summary>
    public (FieldPath Path, FilterNode Part)? Guard { get; } = filter.FindGuard();

    public void Restart() => (Lineage, Told) = (Guid.NewGuid(), 0);

    /// <summary>Compiled once, and again when a label or setting came that no device had.</summary>
    public bool Takes(DeviceColumns columns, int row, DateTimeOffset now)
    {
        if (_test is null || !ReferenceEquals(_columns, columns) || _mapKeys != columns.MapKeys)
        {
            (_test, _columns, _mapKeys) = (RowTest.Of(filter.Root, columns, now), columns, columns.MapKeys);
        }

        return ExpiresAt > now && _test.Takes(row);
    }
}
