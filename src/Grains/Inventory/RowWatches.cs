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

    /// <summary>Each is looked at for every changed row.</summary>
    public const int WatchersMax = 1_000;

    private readonly Dictionary<IRowWatcher, Watch> _watches = [];

    public void Put(IRowWatcher watcher, RowQuery query, InventoryFilter filter, DateTimeOffset now)
    {
        foreach (var (gone, _) in _watches.Where(watch => watch.Value.ExpiresAt <= now).ToList())
        {
            _watches.Remove(gone);
        }

        if (_watches.ContainsKey(watcher) || _watches.Count < WatchersMax)
        {
            _watches[watcher] = new Watch(query, filter, now + Lifetime);
        }
    }

    public void Remove(IRowWatcher watcher) => _watches.Remove(watcher);

    /// <summary>A device changed: tells those whose filter it matches now.</summary>
    public void Tell(TenantId tenant, DeviceColumns columns, int row, DateTimeOffset now)
    {
        ListedRow? shown = null;
        foreach (var (watcher, watch) in _watches)
        {
            if (watch.Watches(tenant, GrainTypes.Device, now) && watch.TestOf(columns, now).Takes(row))
            {
                _ = watcher.RowChangedAsync(shown ??= DeviceTable.Show(tenant, columns, row, now));
            }
        }
    }

    /// <summary>A row of another kind changed.</summary>
    public void Tell(ListedRow changed, DateTimeOffset now)
    {
        foreach (var (watcher, watch) in _watches)
        {
            if (watch.Watches(changed.Row.Tenant, changed.Record.Kind, now) && watch.Filter.Matches(changed.Row, now))
            {
                _ = watcher.RowChangedAsync(changed);
            }
        }
    }

    private sealed class Watch(RowQuery query, InventoryFilter filter, DateTimeOffset expiresAt)
    {
        private RowTest? _test;
        private DeviceColumns? _columns;
        private int _mapKeys;

        public InventoryFilter Filter { get; } = filter;

        public DateTimeOffset ExpiresAt { get; } = expiresAt;

        public bool Watches(TenantId tenant, string kind, DateTimeOffset now) =>
            ExpiresAt > now && query.Kind == kind && query.Tenant == tenant;

        /// <summary>Compiled once per renewal, and again when a label or setting came that no device had.</summary>
        public RowTest TestOf(DeviceColumns columns, DateTimeOffset now)
        {
            if (_test is null || !ReferenceEquals(_columns, columns) || _mapKeys != columns.MapKeys)
            {
                (_test, _columns, _mapKeys) = (RowTest.Of(Filter.Root, columns, now), columns, columns.MapKeys);
            }

            return _test;
        }
    }
}
