using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>The inventory of one partition: rebuilt from the records when it activates, then the tail of the partition's feed.</summary>
[GrainType(GrainTypes.Inventory)]
internal sealed partial class InventoryGrain : Grain, IInventoryGrain
{
    /// <summary>One read of the feed: small enough that a list that has to catch up answers soon.</summary>
    public const int EntriesPerRead = 512;

    /// <summary>A nudge can be lost; nothing shown is older than this.</summary>
    public static readonly TimeSpan Backstop = TimeSpan.FromSeconds(1);

    private readonly IFeedReader _feed;
    private readonly IRecordScanner _records;
    private readonly TimeProvider _clock;
    private readonly ILogger<InventoryGrain> _logger;
    private readonly PresenceTable _presence;
    private readonly DeviceTable _devices;
    private readonly RowTable _others = new();
    private readonly DueTable _due = new();
    private readonly RowWatches _watches = new();
    private int _partition;
    private long _position;

    public InventoryGrain(
        IFeedReader feed, IRecordScanner records, ValuePool values, TimeProvider clock, ILogger<InventoryGrain> logger)
    {
        (_feed, _records, _clock, _logger) = (feed, records, clock, logger);
        _presence = new PresenceTable((tenant, device, entry) => _devices!.Attach(tenant, device, entry));
        _devices = new DeviceTable(values, _presence);
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _partition = checked((int)this.GetPrimaryKeyLong());

        // The feed's end first: what is committed during the scan is told again by the feed and applied only if newer.
        _position = await _feed.GetHeadAsync(_partition, cancellationToken);
        await foreach (var record in _records.ScanAsync(_partition, cancellationToken))
        {
            Apply(record.Key, record.Version, (record.Record as IListedRecord)?.ToRow(withCold: true), record.DueAt);
        }

        _devices.Trim();
        this.RegisterGrainTimer(CatchUpAsync, new GrainTimerCreationOptions(Backstop, Backstop) { KeepAlive = true });
    }

    public Task NudgeAsync() => CatchUpAsync(CancellationToken.None);

    public async Task<RowPage> ListAsync(RowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (filter, filterError) = query.ReadFilter();
        var (order, orderError) = query.ReadOrder();
        if ((filterError ?? orderError) is { } error)
        {
            return new RowPage([], true, error);
        }

        await CatchUpAsync(CancellationToken.None);
        var bounded = query with { RowsMax = Math.Clamp(query.RowsMax, 1, RowQuery.RowsLimit) };
        return query.Kind == GrainTypes.Device
            ? _devices.List(bounded, filter, order, _clock.GetUtcNow())
            : _others.List(bounded, filter, order, _clock.GetUtcNow());
    }

    public async Task<RowCounts> CountAsync(RowQuery query, string groupBy)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (filter, filterError) = query.ReadFilter();
        var (grouping, groupingError) = InventoryGrouping.Parse(groupBy, query.Fields);
        if ((filterError ?? groupingError) is { } error)
        {
            return new RowCounts(0, [], error);
        }

        await CatchUpAsync(CancellationToken.None);
        return query.Kind == GrainTypes.Device
            ? _devices.Count(query, filter, grouping, _clock.GetUtcNow())
            : _others.Count(query, filter, grouping, _clock.GetUtcNow());
    }

    public Task WatchAsync(IRowWatcher watcher, RowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (filter, error) = query.ReadFilter();

        // A filter that cannot be read is refused by the list that begins every watch; here it just matches nothing.
        if (error is null)
        {
            _watches.Put(watcher, query, filter, _clock.GetUtcNow());
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
        _presence.Apply(report, _clock.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) =>
        Task.FromResult(_presence.Find(tenant, device, _clock.GetUtcNow()));

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax) => Task.FromResult(_due.DueBy(now, recordsMax));

    private void Apply(RecordKey record, long version, InventoryRow? row, DateTimeOffset? dueAt)
    {
        _due.Apply(record, version, dueAt);
        switch (row)
        {
            case null:
                break;
            case DeviceRow device when _devices.Apply(device, version) is { } changed:
                _watches.Tell(device.Tenant, _devices.Of(device.Tenant)!, changed, _clock.GetUtcNow());
                break;
            case DeviceRow:
                break;
            default:
                if (_others.Apply(record, version, row) is { } other)
                {
                    _watches.Tell(other, _clock.GetUtcNow());
                }

                break;
        }
    }

    /// <summary>Reads the feed up to its head.</summary>
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        var head = await _feed.GetHeadAsync(_partition, cancellationToken);
        if (head < _position)
        {
            // The store went back in time: what is shown here never happened there. Built again from the records.
            LogFeedWentBack(_partition, _position, head);
            DeactivateOnIdle();
            throw new StoreUnavailableException($"The feed of partition {_partition} went back; its inventory is built again.");
        }

        while (_position < head)
        {
            var entries = await _feed.ReadAsync(_partition, _position, EntriesPerRead, cancellationToken);
            if (entries.IsEmpty)
            {
                return;
            }

            foreach (var entry in entries)
            {
                _position = entry.Sequence;
                if (entry.IsLast)
                {
                    Apply(entry.Record, entry.Version, entry.Row, entry.DueAt);
                }
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Feed of partition {Partition} went back from {Position} to {Head}: the store lost commits")]
    private partial void LogFeedWentBack(int partition, long position, long head);
}
