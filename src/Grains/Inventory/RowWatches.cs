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

    /// <summary>Of one partition; each costs memory, and those whose filter names no value cost time with every change.</summary>
    public const int WatchersMax = 1_000;

    private readonly Dictionary<IRowWatcher, Watch> _watches = [];
    private readonly Dictionary<TenantId, WatchIndex> _devices = [];

    public bool IsEmpty => _watches.Count == 0;

    public void Put(IRowWatcher watcher, RowQuery query, InventoryFilter filter, DateTimeOffset now)
    {
        foreach (var (gone, _) in _watches.Where(watch => watch.Value.ExpiresAt <= now).ToList())
        {
            _watches.Remove(gone);
        }

        if (_watches.ContainsKey(watcher) || _watches.Count < WatchersMax)
        {
            _watches[watcher] = new Watch(watcher, query, filter, now + Lifetime);
        }

        _devices.Clear();
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

        if (!_devices.TryGetValue(tenant, out var index))
        {
            _devices[tenant] = index = new WatchIndex(
                _watches.Values.Where(watch => watch.Query.Kind == GrainTypes.Device && watch.Query.Tenant == tenant));
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
            _ = watch.Watcher.RowChangedAsync(shown);
        }

        foreach (var watch in before.Except(after))
        {
            _ = watch.Watcher.RowChangedAsync(shown with { HasLeft = true });
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
                _ = watch.Watcher.RowChangedAsync(changed with { HasLeft = !watch.Filter.Matches(changed.Row, now) });
            }
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

    public DateTimeOffset ExpiresAt => expiresAt;

    public bool LooksAtPresence { get; } = filter.Tests.Any(test => InventoryFields.IsPresence(test.Path.Field.Name));

    /// <summary>Compiled once per renewal, and again when a label or setting came that no device had.</summary>
    public bool Takes(DeviceColumns columns, int row, DateTimeOffset now)
    {
        if (_test is null || !ReferenceEquals(_columns, columns) || _mapKeys != columns.MapKeys)
        {
            (_test, _columns, _mapKeys) = (RowTest.Of(filter.Root, columns, now), columns, columns.MapKeys);
        }

        return expiresAt > now && _test.Takes(row);
    }
}
