using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>The devices of one partition, in columns by tenant, and what gateways tell of them.</summary>
internal sealed class DeviceTable(ValuePool pool, PresenceTable presence)
{
    private readonly Dictionary<TenantId, DeviceColumns> _tenants = [];
    private readonly Guid _id = Guid.NewGuid();

    /// <summary>Of who has a session, and which rollout has whom.</summary>
    private long _reachChanges = 1;

    /// <summary>Another one whenever who can be reached, or which rollout has whom, has changed.</summary>
    public ReachMark Reach => new(_id, _reachChanges);

    /// <summary>
    /// Takes what a commit left and tells those who watch; false when something newer is known already. Who matched before is asked first:
    /// the change overwrites it.
    /// </summary>
    [MethodImpl(ScanPath.Options)]
    public bool Apply(DeviceRow row, long version, RowWatches watches, DateTimeOffset now)
    {
        if (!_tenants.TryGetValue(row.Tenant, out var columns))
        {
            _tenants[row.Tenant] = columns = new DeviceColumns(pool);
        }

        var known = columns.Find(row.Name);
        if (known >= 0 && columns.VersionOf(known) >= version)
        {
            return false;
        }

        if (known < 0 || !columns.HasRollout(known, row.Rollout))
        {
            _reachChanges++;
        }

        var before = known >= 0 ? watches.Matching(row.Tenant, columns, known, now) : [];
        var changed = columns.Set(row, version, presence.Entry);
        if (!watches.IsEmpty)
        {
            watches.Tell(row.Tenant, columns, changed, before, now);
        }

        return true;
    }

    /// <summary>A device came or went.</summary>
    public void TellPresence(TenantId tenant, DeviceId device, RowWatches watches, DateTimeOffset now)
    {
        _reachChanges++;
        if (!watches.IsEmpty && Of(tenant) is { } columns && columns.Find(device.Value) is var row and >= 0)
        {
            watches.TellPresence(tenant, columns, row, now);
        }
    }

    /// <summary>What gateways told while this table was filled.</summary>
    public void AttachAll()
    {
        foreach (var (tenant, device, entry) in presence.Entries)
        {
            Attach(tenant, device, entry);
        }
    }

    public DeviceColumns? Of(TenantId tenant) => _tenants.GetValueOrDefault(tenant);

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim()
    {
        foreach (var columns in _tenants.Values)
        {
            columns.Trim();
        }
    }

    /// <summary>A gateway spoke of the device for the first time; with null, it is forgotten.</summary>
    public void Attach(TenantId tenant, DeviceId device, PresenceEntry? entry)
    {
        _reachChanges++;
        if (Of(tenant) is { } columns && columns.Find(device.Value) is var row and >= 0)
        {
            columns.Attach(row, entry);
        }
    }

    public RowPage List(RowQuery query, InventoryFilter filter, InventoryOrder order, DateTimeOffset now)
    {
        if (Of(query.Tenant) is not { } columns)
        {
            return new RowPage([], true, null);
        }

        var reader = new PageReader(columns, RowTest.Of(filter.Root, columns, now), order, now);
        var found = reader.Read(query.AfterKeys, query.After, query.RowsMax + 1);
        var shown = Math.Min(found.Count, query.RowsMax);
        var rows = ImmutableArray.CreateBuilder<ListedRow>(shown);
        foreach (var row in CollectionsMarshal.AsSpan(found)[..shown])
        {
            rows.Add(Show(query.Tenant, columns, row, now) with { Keys = reader.KeysOf(row) });
        }

        return new RowPage(rows.MoveToImmutable(), found.Count <= query.RowsMax, null);
    }

    /// <summary>The names alone, of those that match and are in service.</summary>
    public DevicesInService ListInService(RowQuery query, InventoryFilter filter, DateTimeOffset now)
    {
        if (Of(query.Tenant) is not { } columns)
        {
            return new DevicesInService([], After: null, Error: null);
        }

        var reader = new PageReader(columns, RowTest.Of(filter.Root, columns, now), InventoryOrder.ByName, now);
        var found = reader.Read([], query.After, query.RowsMax);
        var devices = ImmutableArray.CreateBuilder<DeviceInService>(found.Count);
        foreach (var row in CollectionsMarshal.AsSpan(found))
        {
            if (columns.StateOf(row) == DeviceState.InService)
            {
                devices.Add(new DeviceInService(columns.NameOf(row), columns.PresenceOf(row)?.IsConnected(now) == true));
            }
        }

        return new DevicesInService(devices.ToImmutable(), found.Count < query.RowsMax ? null : columns.NameOf(found[^1]), Error: null);
    }

    /// <summary>Who can be reached, or null for a caller who knows.</summary>
    public ConnectedDevices? ListConnected(TenantId tenant, ReachMark known, DateTimeOffset now)
    {
        var mark = Reach;
        if (mark == known)
        {
            return null;
        }

        var devices = ImmutableArray.CreateBuilder<ConnectedDevice>();
        if (Of(tenant) is { } columns)
        {
            for (var row = 0; row < columns.Count; row++)
            {
                if (columns.PresenceOf(row)?.IsConnected(now) == true)
                {
                    devices.Add(new ConnectedDevice(columns.NameOf(row), columns.RolloutOf(row)));
                }
            }
        }

        return new ConnectedDevices(mark, devices.ToImmutable());
    }

    public RowCounts Count(RowQuery query, InventoryFilter filter, InventoryGrouping grouping, DateTimeOffset now)
    {
        if (Of(query.Tenant) is not { } columns)
        {
            return new RowCounts(0, [], null);
        }

        var (total, cells) = new GroupCounter(columns, RowTest.Of(filter.Root, columns, now), grouping, now).Count();
        return query.TakesCells
            ? new RowCounts(total, [], null) { Cells = cells }
            : new RowCounts(total, [.. GroupSum.Of([cells])], null);
    }

    /// <summary>Devices by their records; those that do not match as left.</summary>
    public ImmutableArray<ListedRow> Find(RowQuery query, InventoryFilter filter, HashSet<RecordKey> records, DateTimeOffset now)
    {
        if (Of(query.Tenant) is not { } columns)
        {
            return [];
        }

        var test = RowTest.Of(filter.Root, columns, now);
        var prefix = $"{query.Tenant}/";
        return
        [
            .. records.Where(record => record.Key.StartsWith(prefix, StringComparison.Ordinal))
                .Select(record => columns.Find(record.Key[prefix.Length..]))
                .Where(row => row >= 0)
                .Select(row => Show(query.Tenant, columns, row, now) with { HasLeft = !test.Takes(row) }),
        ];
    }

    /// <summary>
    /// Tells those who watch what is not as it was before: of rows that are gone, that they left. Who matched before is asked for all rows
    /// first, because the index of watches is one for each table.
    /// </summary>
    public void TellDifferences(DeviceTable before, RowWatches watches, DateTimeOffset now)
    {
        foreach (var tenant in _tenants.Keys.Union(before._tenants.Keys))
        {
            var shown = Of(tenant) ?? new DeviceColumns(pool);
            var known = before.Of(tenant) ?? new DeviceColumns(pool);
            var changed = new List<(int Row, IReadOnlyCollection<Watch> Before)>();
            for (var row = 0; row < known.Count; row++)
            {
                var at = shown.Find(known.NameOf(row));
                if (at < 0)
                {
                    watches.TellGone(tenant, known, row, watches.Matching(tenant, known, row, now), now);
                }
                else if (shown.Differs(at, known, row))
                {
                    changed.Add((at, watches.Matching(tenant, known, row, now)));
                }
            }

            changed.AddRange(Enumerable.Range(0, shown.Count).Where(row => known.Find(shown.NameOf(row)) < 0)
                .Select(row => (row, (IReadOnlyCollection<Watch>)[])));
            changed.ForEach(change => watches.Tell(tenant, shown, change.Row, change.Before, now));
        }
    }

    /// <summary>See <see cref="PartitionTables.DifferencesTo"/>.</summary>
    public IEnumerable<string?> DifferencesTo(DeviceTable fold) => _tenants.Keys.Union(fold._tenants.Keys).ToArray().SelectMany(tenant =>
        (Of(tenant) ?? new DeviceColumns(pool)).DifferencesTo(fold.Of(tenant) ?? new DeviceColumns(pool))
            .Select(difference => difference is null ? null : $"{GrainTypes.Device}/{tenant}/{difference}"));

    public static ListedRow Show(TenantId tenant, DeviceColumns columns, int row, DateTimeOffset now)
    {
        var shown = columns.Get(tenant, row);
        return new ListedRow(
            new RecordKey(GrainTypes.Device, $"{tenant}/{shown.Name}"), columns.VersionOf(row), shown, columns.PresenceOf(row)?.At(now));
    }
}
