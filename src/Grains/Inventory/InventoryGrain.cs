using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Orleans.Utilities;

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
    private readonly Dictionary<IRowWatcher, (RowQuery Query, InventoryFilter Filter)> _queries = [];
    private ObserverManager<IRowWatcher> _watchers = null!;
    private int _partition;
    private long _position;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = checked((int)this.GetPrimaryKeyLong());
        _watchers = new ObserverManager<IRowWatcher>(WatchLifetime, logger);

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
        var (filter, error) = ParseFilter(query);
        if (error is not null)
        {
            return new RowPage([], true, error);
        }

        await CatchUpAsync(CancellationToken.None);
        var now = clock.GetUtcNow();
        var rowsMax = Math.Clamp(query.RowsMax, 1, RowQuery.RowsLimit);
        var page = ImmutableArray.CreateBuilder<ListedRow>();
        foreach (var row in _table.After(query.Tenant, query.Kind, query.After))
        {
            var presence = PresenceOf(row, now);
            if (!filter.Matches(row.Row, presence?.Connected == true))
            {
                continue;
            }

            if (page.Count == rowsMax)
            {
                return new RowPage(page.ToImmutable(), false, null);
            }

            page.Add(row with { Presence = presence });
        }

        return new RowPage(page.ToImmutable(), true, null);
    }

    public Task WatchAsync(IRowWatcher watcher, RowQuery query)
    {
        var (filter, error) = ParseFilter(query);
        _watchers.ClearExpired();
        foreach (var gone in _queries.Keys.Where(known => !_watchers.Observers.ContainsKey(known)).ToList())
        {
            _queries.Remove(gone);
        }

        // A filter that cannot be read is refused by the list that begins every watch; here it just matches nothing.
        if (error is null && (_queries.ContainsKey(watcher) || _queries.Count < WatchersMax))
        {
            _watchers.Subscribe(watcher, watcher);
            _queries[watcher] = (query, filter);
        }

        return Task.CompletedTask;
    }

    public Task UnwatchAsync(IRowWatcher watcher)
    {
        _watchers.Unsubscribe(watcher);
        _queries.Remove(watcher);
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

    private static (InventoryFilter Filter, FleetError? Error) ParseFilter(RowQuery query) =>
        InventoryFilter.Parse(query.Filter, query.Kind switch
        {
            GrainTypes.Device => InventoryFields.Device,
            GrainTypes.Image => InventoryFields.Image,
            GrainTypes.Rollout => InventoryFields.Rollout,
            GrainTypes.Decommission => InventoryFields.Decommission,
            GrainTypes.Warranty => InventoryFields.Warranty,
            _ => InventoryFields.NameOnly,
        });

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
            return;
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
        if (_queries.Count == 0)
        {
            return;
        }

        var shown = changed with { Presence = PresenceOf(changed, clock.GetUtcNow()) };
        foreach (var (watcher, (query, filter)) in _queries)
        {
            if (query.Tenant == shown.Row.Tenant && query.Kind == shown.Record.Kind
                && filter.Matches(shown.Row, shown.Presence?.Connected == true))
            {
                _ = watcher.RowChangedAsync(shown);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Feed of partition {Partition} went back from {Position} to {Head}: the store lost commits")]
    private partial void LogFeedWentBack(int partition, long position, long head);
}
