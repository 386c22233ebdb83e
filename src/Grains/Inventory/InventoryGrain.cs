using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
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

    /// <summary>A store that is restarted more often during one reading of a partition has another trouble.</summary>
    private const int RebuildAttemptsMax = 5;

    private readonly IFeedReader _feed;
    private readonly IDurableReaders _readers;
    private readonly IRecordScanner _records;
    private readonly ValuePool _values;
    private readonly TimeProvider _clock;
    private readonly ILogger<InventoryGrain> _logger;
    private readonly PresenceTable _presence;
    private DeviceTable _devices;
    private RowTable _others = new();
    private DueTable _due = new();
    private readonly RowWatches _watches = new();
    private readonly TailRing _ring = new();
    private readonly TailTrims _trims;
    private readonly int _partition;
    private FeedPosition _position;
    private DateTimeOffset _builtAt;
    private bool _isWhole;
    private FeedPosition? _lastKnown;

    public InventoryGrain(
        IFeedReader feed,
        IDurableReaders readers,
        IFeedTrimmer trimmer,
        FeedInstruments instruments,
        IRecordScanner records,
        ValuePool values,
        TimeProvider clock,
        ILogger<InventoryGrain> logger)
    {
        (_feed, _readers, _records, _values, _clock, _logger) = (feed, readers, records, values, clock, logger);
        _partition = _watches.Partition = checked((int)this.GetPrimaryKeyLong());
        _trims = new TailTrims(_partition, trimmer, instruments, clock, logger);
        _presence = new PresenceTable(
            (tenant, device, entry) => _devices!.Attach(tenant, device, entry),
            (tenant, device) => _devices!.TellPresence(tenant, device, _watches, _clock.GetUtcNow()));
        _devices = new DeviceTable(values, _presence);
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _builtAt = _clock.GetUtcNow();
        await RebuildAsync(cancellationToken);
        await _trims.TrimAsync(_position, cancellationToken);
        this.RegisterGrainTimer(TickAsync, new GrainTimerCreationOptions(Backstop, Backstop) { KeepAlive = true });
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // Only a figure: another silo tells it from now on.
        _trims.Forget();
        return Task.CompletedTask;
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

        await CatchUpIfBehindAsync();
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

        await CatchUpIfBehindAsync();
        return query.Kind == GrainTypes.Device
            ? _devices.Count(query, filter, grouping, _clock.GetUtcNow())
            : _others.Count(query, filter, grouping, _clock.GetUtcNow());
    }

    public async Task<WatchReply?> WatchAsync(IRowWatcher watcher, RowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (filter, error) = query.ReadFilter();
        if (error is not null)
        {
            // Refused by the list that begins every watch; here it just matches nothing.
            return new WatchReply(_position, Guid.Empty, 0);
        }

        await CatchUpIfBehindAsync();
        return _watches.Put(watcher, query, filter, _clock.GetUtcNow()) is { } watch
            ? new WatchReply(_position, watch.Lineage, watch.Told)
            : null;
    }

    public async Task<ChangedRows?> GetChangedSinceAsync(RowQuery query, FeedPosition position, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (filter, _) = query.ReadFilter();
        HashSet<RecordKey> changed = [];
        FeedPage page;
        do
        {
            page = await _feed.FollowAsync(_partition, position, EntriesPerRead, CancellationToken.None);
            position = page.Next;
            changed.UnionWith(page.Entries.Where(entry => entry.Record.Kind == query.Kind).Select(entry => entry.Record));
        }
        while (page.Continuity == FeedContinuity.Follows && !page.IsAtEnd);
        if (page.Continuity != FeedContinuity.Follows)
        {
            return null;
        }

        await CatchUpIfBehindAsync();
        var now = _clock.GetUtcNow();
        var rows = query.Kind == GrainTypes.Device
            ? _devices.Find(query, filter, [.. changed, .. _presence.ChangedSince(at).Select(DeviceKey.RecordOf)], now)
            : _others.Find(query, filter, changed, now);
        return new ChangedRows(rows, KnowsPresence: query.Kind != GrainTypes.Device || _builtAt <= at);
    }

    public async Task<TailPage> FollowAsync(FeedPosition after)
    {
        if (_ring.Find(after) is { } known)
        {
            return known;
        }

        if (after.Sequence > _position.Sequence)
        {
            await CatchUpAsync(CancellationToken.None);
        }

        return _ring.Find(after)
            ?? TailRing.PageOf(await _feed.FollowAsync(_partition, after, EntriesPerRead, CancellationToken.None));
    }

    public Task UnwatchAsync(IRowWatcher watcher)
    {
        _watches.Remove(watcher);
        return Task.CompletedTask;
    }

    public async Task<InventoryCheck> VerifyAsync()
    {
        var fold = new InventoryFold(_partition, _feed, _records, _values, _presence);
        await fold.ScanAsync(CancellationToken.None);
        await CatchUpAsync(CancellationToken.None);

        // What was scanned is in the feed up to where it was read just now; both stop there.
        var check = await fold.CompareAsync(_devices, _others, _due, _position.Sequence, CancellationToken.None);
        return check with { SlowestReader = (await _readers.GetLagsAsync(_partition, CancellationToken.None)).FirstOrDefault() };
    }

    public Task RebuildAsync() => RebuildAsync(CancellationToken.None);

    public Task ReportPresenceAsync(PresenceReport report)
    {
        _presence.Apply(report, _clock.GetUtcNow());
        return Task.CompletedTask;
    }

    public Task<DevicePresence?> FindPresenceAsync(TenantId tenant, DeviceId device) =>
        Task.FromResult(_presence.Find(tenant, device, _clock.GetUtcNow()));

    public Task<DueRecords> GetDueAsync(DateTimeOffset now, int recordsMax) => Task.FromResult(_due.DueBy(now, recordsMax));

    private async Task TickAsync(CancellationToken cancellationToken)
    {
        _presence.Expire(_clock.GetUtcNow());
        await CatchUpAsync(cancellationToken);
        await _trims.TickAsync(_position, cancellationToken);
    }

    private void Apply(RecordKey record, long version, InventoryRow? row, DateTimeOffset? dueAt)
    {
        _due.Apply(record, version, dueAt);
        switch (row)
        {
            case null:
                break;
            case DeviceRow device:
                _devices.Apply(device, version, _watches, _clock.GetUtcNow());
                break;
            default:
                if (_others.Apply(record, version, row) is { } other)
                {
                    _watches.Tell(other, _clock.GetUtcNow());
                }

                break;
        }
    }

    /// <summary>From the records and what follows them in the feed. Presence is kept: gateways told it.</summary>
    private async Task RebuildAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; !await TryRebuildAsync(cancellationToken); attempt++)
        {
            if (attempt == RebuildAttemptsMax)
            {
                throw new StoreUnavailableException(
                    $"The store was restarted or replaced {attempt} times while partition {_partition} was read. Ask again.");
            }

            LogBegunAnew(_partition, attempt);
        }

        // A store that went back before the rebuild, or during it.
        var page = await _feed.FollowAsync(_partition, _lastKnown!.Value, 1, cancellationToken);
        _lastKnown = null;
        if (page.Continuity == FeedContinuity.Rewound)
        {
            AskForHellos();
        }
    }

    /// <summary>False when the server was restarted meanwhile: it may have lost what was read, and left out what was not.</summary>
    private async Task<bool> TryRebuildAsync(CancellationToken cancellationToken)
    {
        _isWhole = false;
        (_devices, _others, _due) = (new DeviceTable(_values, _presence), new RowTable(), new DueTable());
        _watches.Restart();

        // The feed's end first: what is committed during the scan is told again by the feed and applied only if newer.
        var run = await _records.GetRunAsync(_partition, cancellationToken);
        _position = await _feed.GetEndAsync(_partition, cancellationToken);
        _ring.Restart(_position);
        _lastKnown ??= _position;
        try
        {
            await foreach (var record in _records.ScanAsync(_partition, cancellationToken))
            {
                Apply(record.Key, record.Version, (record.Record as IListedRecord)?.ToRow(withCold: true), record.DueAt);
            }
        }
        catch (ScanBrokenException)
        {
            return false;
        }

        // A record that was read and then lost would be taken for newer than what the store has. From here on the position would tell.
        var page = await ReadFeedAsync(cancellationToken);
        if (page.Continuity != FeedContinuity.Follows || await _records.GetRunAsync(_partition, cancellationToken) != run)
        {
            return false;
        }

        _devices.Trim();
        return _isWhole = true;
    }

    /// <summary>
    /// Before a question: mostly there is nothing new, and the head alone says so. Whether the entries are still the same ones is looked at
    /// by the backstop.
    /// </summary>
    private async Task CatchUpIfBehindAsync()
    {
        if (!_isWhole || await _feed.GetHeadAsync(_partition, CancellationToken.None) != _position.Sequence)
        {
            await CatchUpAsync(CancellationToken.None);
        }
    }

    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        if (!_isWhole)
        {
            // A rebuild that was broken off: what there is would be taken for all.
            await RebuildAsync(cancellationToken);
            return;
        }

        var page = await ReadFeedAsync(cancellationToken);
        if (page.Continuity == FeedContinuity.Follows)
        {
            return;
        }

        // The store went back in time, or this was away for longer than the feed remembers: what is shown here may never have happened.
        LogBroken(_partition, page.Continuity, _position.Sequence, page.Head);
        _lastKnown = _position;
        await RebuildAsync(cancellationToken);
    }

    /// <summary>Reads the feed up to its head, or to where it does not go on.</summary>
    private async Task<FeedPage> ReadFeedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var page = await _feed.FollowAsync(_partition, _position, EntriesPerRead, cancellationToken);
            if (page.Continuity != FeedContinuity.Follows)
            {
                return page;
            }

            foreach (var entry in page.Entries)
            {
                _ring.Add(entry);
                if (entry.IsLast)
                {
                    Apply(entry.Record, entry.Version, entry.Row, entry.DueAt);
                }
            }

            _position = page.Next;
            await _trims.FollowAsync(_position, cancellationToken);
            if (page.IsAtEnd)
            {
                return page;
            }
        }
    }

    /// <summary>
    /// What devices said in the time that the store lost is lost as well: their sessions are closed, and each says hello and repeats its
    /// newest report when it is back.
    /// </summary>
    private void AskForHellos()
    {
        foreach (var (tenant, device, session) in _presence.Connected(_clock.GetUtcNow()))
        {
            _ = session.Gateway?.CloseAsync(new CloseSession(tenant, device, session.Epoch, All: true, DeviceErrors.SayHelloAgain(device)));
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The store was restarted while partition {Partition} was read, {Attempt} times: its inventory is begun anew")]
    private partial void LogBegunAnew(int partition, int attempt);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Feed of partition {Partition} is {Continuity} behind {Position}, head {Head}: its inventory is built again")]
    private partial void LogBroken(int partition, FeedContinuity continuity, long position, long head);
}
