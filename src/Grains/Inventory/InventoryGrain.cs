using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>The inventory of one partition: rebuilt from the records when it activates, then the tail of the partition's feed.</summary>
[GrainType(GrainTypes.Inventory)]
internal sealed partial class InventoryGrain(
    IFeedReader feed, IRecordScanner records, TimeProvider clock, ILogger<InventoryGrain> logger) : Grain, IInventoryGrain
{
    /// <summary>One read of the feed: small enough that a list that has to catch up answers soon.</summary>
    public const int EntriesPerRead = 512;

    /// <summary>A nudge can be lost; nothing shown is older than this.</summary>
    public static readonly TimeSpan Backstop = TimeSpan.FromSeconds(1);

    /// <summary>Watchers renew every minute; three missed renewals are a watcher that is gone.</summary>
    public static readonly TimeSpan WatchLifetime = TimeSpan.FromMinutes(3);

    /// <summary>Each is looked at for every changed row.</summary>
    public const int WatchersMax = 1_000;

    private readonly RowTable _table = new();
    private readonly PresenceTable _presence = new();
    private readonly Dictionary<IRowWatcher, Watch> _watches = [];
    private int _partition;
    private long _position;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = checked((int)this.GetPrimaryKeyLong());

        // The feed's end first: what is committed during the scan is told again by the feed and applied only if newer.
        _position = await feed.GetHeadAsync(_partition, cancellationToken);
        await foreach (var record in records.ScanAsync(_partition, cancellationToken))
        {
            _table.Apply(record.Key, record.Version, (record.Record as IListedRecord)?.ToRow(), record.DueAt);
        }

        this.RegisterGrainTimer(CatchUpAsync, new GrainTimerCreationOptions(Backstop, Backstop) { KeepAlive = true });
    }

    public Task NudgeAsync() => CatchUpAsync(CancellationToken.None);

    public async Task<RowPage> ListAsync(RowQuery query)
    {
        var (filter, error) = query.ReadFilter();
        if (error is not null)
        {
            return new RowPage([], true, error);
        }

        await CatchUpAsync(CancellationToken.None);
        var rowsMax = Math.Clamp(query.RowsMax, 1, RowQuery.RowsLimit);
        ImmutableArray<ListedRow> rows =
            [.. Matching(query, filter).Take(rowsMax + 1).Select(match => match.Row with { Presence = match.Presence })];
        return rows.Length > rowsMax ? new RowPage(rows[..rowsMax], false, null) : new RowPage(rows, true, null);
    }

    public async Task<RowCounts> CountAsync(RowQuery query, string groupBy)
    {
        var (filter, error) = query.ReadFilter();
        if (error is not null)
        {
            return RowCounts.Of([], "") with { Error = error };
        }

        await CatchUpAsync(CancellationToken.None);
        return RowCounts.Of(Matching(query with { After = "" }, filter).Select(match => match.Row.Row), groupBy);
    }

    public Task WatchAsync(IRowWatcher watcher, RowQuery query)
    {
        var (filter, error) = query.ReadFilter();
        var now = clock.GetUtcNow();
        foreach (var (gone, _) in _watches.Where(watch => watch.Value.ExpiresAt <= now).ToList())
        {
            _watches.Remove(gone);
        }

        // A filter that cannot be read is refused by the list that begins every watch; here it just matches nothing.
        if (error is null && (_watches.ContainsKey(watcher) || _watches.Count < WatchersMax))
        {
            _watches[watcher] = new Watch(query, filter, now + WatchLifetime);
        }

        return Task.CompletedTask;
    }

    public Task UnwatchAsync(IRowWatcher watcher)
    {
        _watches.Remove(watcher);
        return Task.CompletedTask;
    }

    public Task ReportPresenceAsync(PresenceReport report)
    {
        _presence.Apply(report, clock.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) =>
        Task.FromResult(_presence.Find(tenant, device, clock.GetUtcNow()));

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax) => Task.FromResult(_table.DueBy(now, recordsMax));

    private IEnumerable<(ListedRow Row, DevicePresence? Presence)> Matching(RowQuery query, InventoryFilter filter)
    {
        var now = clock.GetUtcNow();
        return _table.After(query.Tenant, query.Kind, query.After)
            .Select(row => (Row: row, Presence: PresenceOf(row, now)))
            .Where(match => filter.Matches(match.Row.Row, match.Presence?.Connected == true));
    }

    private DevicePresence? PresenceOf(ListedRow row, DateTimeOffset now) =>
        row.Record.Kind == GrainTypes.Device && DeviceId.TryParse(row.Row.Name, out var device)
            ? _presence.Find(row.Row.Tenant, device, now)
            : null;

    /// <summary>Reads the feed up to its head.</summary>
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var head = await feed.GetHeadAsync(_partition, cancellationToken);
        if (head < _position)
        {
            // The store went back in time: what is shown here never happened there. Built again from the records.
            LogFeedWentBack(_partition, _position, head);
            DeactivateOnIdle();
            throw new StoreUnavailableException($"The feed of partition {_partition} went back; its inventory is built again.");
        }

        while (_position < head)
        {
            var entries = await feed.ReadAsync(_partition, _position, EntriesPerRead, cancellationToken);
            if (entries.IsEmpty)
            {
                return;
            }

            foreach (var entry in entries)
            {
                _position = entry.Sequence;
                if (entry.IsLast && _table.Apply(entry.Record, entry.Version, entry.Row, entry.DueAt) is { } changed)
                {
                    Tell(changed);
                }
            }
        }
    }

    private void Tell(ListedRow changed)
    {
        if (_watches.Count == 0)
        {
            return;
        }

        var now = clock.GetUtcNow();
        var shown = changed with { Presence = PresenceOf(changed, now) };
        foreach (var (watcher, watch) in _watches)
        {
            if (watch.ExpiresAt > now && watch.Query.Tenant == shown.Row.Tenant && watch.Query.Kind == shown.Record.Kind
                && watch.Filter.Matches(shown.Row, shown.Presence?.Connected == true))
            {
                _ = watcher.RowChangedAsync(shown);
            }
        }
    }

    private sealed record Watch(RowQuery Query, InventoryFilter Filter, DateTimeOffset ExpiresAt);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Feed of partition {Partition} went back from {Position} to {Head}: the store lost commits")]
    private partial void LogFeedWentBack(int partition, long position, long head);
}
