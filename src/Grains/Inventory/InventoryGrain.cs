using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.CertificateStatus;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Grains.Inventory.Columns;
using Muster.Grains.Revocations;

namespace Muster.Grains.Inventory;

/// <summary>The inventory of one partition: rebuilt from the records when it activates, then the tail of the partition's feed.</summary>
[GrainType(GrainTypes.Inventory)]
internal sealed partial class InventoryGrain : Grain, IInventoryGrain
{
    /// <summary>One read of the feed: small enough that a list that has to catch up answers soon.</summary>
    public const int EntriesPerRead = 512;

    /// <summary>A store that is restarted more often during one reading of a partition has another trouble.</summary>
    private const int RebuildAttemptsMax = 5;

    private static readonly RowWatches s_nobody = new();

    private readonly IFeedReader _feed;
    private readonly IDurableReaders _readers;
    private readonly IRecordScanner _records;
    private readonly ValuePool _values;
    private readonly ParsedQueries _queries;
    private readonly TimeProvider _clock;
    private readonly ILogger<InventoryGrain> _logger;
    private readonly PresenceTable _presence;
    private readonly RowWatches _watches = new();
    private readonly TailRing _ring = new();
    private readonly TailTrims _trims;
    private readonly TailPoll _poll;
    private readonly RevocationTails _revocations;
    private readonly int _partition;
    private PartitionTables _tables;
    private Task _rebuilding = Task.CompletedTask;
    private FeedPosition _position;
    private DateTimeOffset _builtAt;

    public InventoryGrain(
        IFeedReader feed,
        IDurableReaders readers,
        IFeedTrimmer trimmer,
        FeedInstruments instruments,
        TailPoll poll,
        RevocationTails revocations,
        IRecordScanner records,
        ValuePool values,
        ParsedQueries queries,
        TimeProvider clock,
        ILogger<InventoryGrain> logger)
    {
        (_feed, _readers, _records, _clock, _logger) = (feed, readers, records, clock, logger);
        (_values, _queries, _poll, _revocations) = (values, queries, poll, revocations);
        _partition = _watches.Partition = checked((int)this.GetPrimaryKeyLong());
        _trims = new TailTrims(_partition, trimmer, instruments, clock, logger);
        _presence = new PresenceTable(
            (tenant, device, entry) => _tables!.Devices.Attach(tenant, device, entry),
            (tenant, device) => _tables!.Devices.TellPresence(tenant, device, _watches, _clock.GetUtcNow()));
        _tables = new PartitionTables(values, _presence);
        _news = new NewsListeners((tenant, rollout, isUrgent) => _ = TellAsync(tenant, rollout, isUrgent));
    }

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Nothing calls an idle partition, and its tail is not to end for that.
        DelayDeactivation(Timeout.InfiniteTimeSpan);
        _builtAt = _clock.GetUtcNow();
        await RebuildAsync(FeedContinuity.Follows, cancellationToken);
        await _trims.TrimAsync(_position, cancellationToken);
        _isHere = true;
        Settle();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isHere = false;
        _poll.Forget(_partition, this);
        _revocations.Forget(_partition, this);

        // Only a figure: another silo tells it from now on.
        _trims.Forget();

        // Who listened here listens to nobody until it is asked again.
        TellAll();
        return Task.CompletedTask;
    }

    public Task NudgeAsync() => CatchUpAsync(CancellationToken.None);

    public async Task<RowPage> ListAsync(RowQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (read, error) = _queries.Read(query, "");
        if (read is null)
        {
            return new RowPage([], true, error);
        }

        await CatchUpIfBehindAsync();
        var bounded = query with { RowsMax = Math.Clamp(query.RowsMax, 1, RowQuery.RowsLimit) };
        return query.Kind == GrainTypes.Device
            ? _tables.Devices.List(bounded, read.Filter, read.Order, _clock.GetUtcNow())
            : _tables.Others.List(bounded, read.Filter, read.Order, _clock.GetUtcNow());
    }

    public async Task<RowCounts> CountAsync(RowQuery query, string groupBy)
    {
        ArgumentNullException.ThrowIfNull(query);
        var (read, error) = _queries.Read(query with { OrderBy = "" }, groupBy);
        if (read is null)
        {
            return new RowCounts(0, [], error);
        }

        await CatchUpIfBehindAsync();
        return query.Kind == GrainTypes.Device
            ? _tables.Devices.Count(query, read.Filter, read.Grouping, _clock.GetUtcNow())
            : _tables.Others.Count(query, read.Filter, read.Grouping, _clock.GetUtcNow());
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
            ? _tables.Devices.Find(query, filter, [.. changed, .. _presence.ChangedSince(at).Select(DeviceKey.RecordOf)], now)
            : _tables.Others.Find(query, filter, changed, now);
        return new ChangedRows(rows, KnowsPresence: query.Kind != GrainTypes.Device || (_builtAt <= at && _presence.KnowsSince(at)));
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
        var fold = new InventoryFold(_partition, _feed, _records, _values, _presence, _clock);
        await fold.ScanAsync(CancellationToken.None);

        // What was scanned is in the feed up to where it is read now.
        await CatchUpAsync(CancellationToken.None);
        var check = await fold.CompareAsync(() => (_tables, _position.Sequence), CancellationToken.None);
        return check with { SlowestReader = (await _readers.GetLagsAsync(_partition, CancellationToken.None)).FirstOrDefault() };
    }

    public Task RebuildAsync() =>
        _rebuilding.IsCompleted ? _rebuilding = RebuildAsync(FeedContinuity.Follows, CancellationToken.None) : _rebuilding;

    public async Task<PartitionRevocations?> GetRevocationsAsync(RevocationMark known)
    {
        await CatchUpIfBehindAsync();
        return _tables.Revocations.Read(known, _clock.GetUtcNow());
    }

    private void Apply(FeedEntry entry) =>
        _tables.Apply(entry.Record, entry.Version, entry.Row, entry.DueAt, _watches, _clock.GetUtcNow());

    /// <summary>
    /// From the records, beside what is shown, which goes on answering; then takes its place, and those who watch are told what differs.
    /// Presence is kept: gateways told it.
    /// </summary>
    private async Task RebuildAsync(FeedContinuity why, CancellationToken cancellationToken)
    {
        (PartitionTables Tables, FeedPosition Position)? read = null;
        var askedAt = _clock.GetTimestamp();
        for (var attempt = 1; (read = await ReadAllAsync(why, cancellationToken)) is null; attempt++)
        {
            if (attempt == RebuildAttemptsMax)
            {
                throw new StoreUnavailableException(
                    $"The store was restarted or replaced {attempt} times while partition {_partition} was read. Ask again.");
            }

            LogBegunAnew(_partition, attempt);
            why = await WentBackAsync(cancellationToken) ? FeedContinuity.Rewound : why;
            askedAt = _clock.GetTimestamp();
        }

        var before = _tables;
        (_tables, _position) = read.Value;
        _ring.Restart(_position);
        TellAll();
        (_watched, _watchedAt) = (Guid.NewGuid(), askedAt);
        if (why == FeedContinuity.Rewound)
        {
            _watches.Restart();
            AskForHellos();
        }

        _tables.TellDifferences(before, _watches, _clock.GetUtcNow());
        Settle();
    }

    /// <summary>Whether the store, since what is shown was read, went back in time.</summary>
    private async Task<bool> WentBackAsync(CancellationToken cancellationToken) =>
        (await _feed.FollowAsync(_partition, _position, 1, cancellationToken)).Continuity == FeedContinuity.Rewound;

    /// <summary>Null when the server was restarted meanwhile: it may have lost what was read, and left out what was not.</summary>
    private async Task<(PartitionTables Tables, FeedPosition Position)?> ReadAllAsync(
        FeedContinuity why, CancellationToken cancellationToken)
    {
        // The feed's end first: what is committed during the scan is told again by the feed and applied only if newer.
        var tables = new PartitionTables(_values, _presence);
        var now = _clock.GetUtcNow();
        var run = await _records.GetRunAsync(_partition, cancellationToken);
        var position = await _feed.GetEndAsync(_partition, cancellationToken);
        try
        {
            await foreach (var record in _records.ScanAsync(_partition, cancellationToken))
            {
                var row = (record.Record as IListedRecord)?.ToRow(withCold: true);
                tables.Apply(record.Key, record.Version, row, record.DueAt, s_nobody, now);
            }
        }
        catch (ScanBrokenException)
        {
            return null;
        }

        // A record that was read and then lost would be taken for newer than what the store has. From here on the position would tell.
        if (await _records.GetRunAsync(_partition, cancellationToken) != run)
        {
            return null;
        }

        // What is shown must not fall behind what was answered, and goes on meanwhile; a head below it is a store that went back.
        FeedPage page;
        do
        {
            var shown = why == FeedContinuity.Rewound ? 0 : _position.Sequence;
            page = await _feed.FollowAsync(_partition, position, EntriesPerRead, cancellationToken);
            if (page.Continuity != FeedContinuity.Follows || page.Head < shown)
            {
                return null;
            }

            foreach (var entry in page.Entries.Where(entry => entry.IsLast))
            {
                tables.Apply(entry.Record, entry.Version, entry.Row, entry.DueAt, s_nobody, now);
            }

            position = page.Next;
        }
        while (!page.IsAtEnd || (why != FeedContinuity.Rewound && position.Sequence < _position.Sequence));

        tables.Devices.Trim();
        tables.Devices.AttachAll();
        return (tables, position);
    }

    /// <summary>
    /// Before a question: mostly there is nothing new, and the head alone says so. Whether the entries are still the same ones is looked at
    /// by the backstop.
    /// </summary>
    private async Task CatchUpIfBehindAsync()
    {
        if (await _feed.GetHeadAsync(_partition, CancellationToken.None) != _position.Sequence)
        {
            await CatchUpAsync(CancellationToken.None);
        }
    }

    /// <summary>Reads the feed up to its head.</summary>
    private async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        await ReadToHeadAsync(cancellationToken);
        Settle();
    }

    private async Task ReadToHeadAsync(CancellationToken cancellationToken)
    {
        var (page, askedAt) = await ReadOnAsync(cancellationToken);
        while (page.Continuity == FeedContinuity.Follows)
        {
            foreach (var entry in page.Entries)
            {
                Tell(_ring.Add(entry));
                _revocations.Add(entry);
                if (entry.IsLast)
                {
                    Apply(entry);
                }
            }

            _position = page.Next;
            await _trims.FollowAsync(_position, cancellationToken);
            if (page.IsAtEnd)
            {
                _watchedAt = Math.Max(_watchedAt, askedAt);
                return;
            }

            (page, askedAt) = await ReadOnAsync(cancellationToken);
        }

        // The store went back in time, or this was away for longer than the feed remembers: what is shown here may never have happened.
        LogBroken(_partition, page.Continuity, _position.Sequence, page.Head);
        await RebuildAsync(page.Continuity, cancellationToken);
    }

    /// <summary>What follows in the feed; asked again when a check or a rebuild, which run beside questions, moved on meanwhile.</summary>
    private async Task<(FeedPage Page, long AskedAt)> ReadOnAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (from, askedAt) = (_position, _clock.GetTimestamp());
            var page = await _feed.FollowAsync(_partition, from, EntriesPerRead, cancellationToken);
            if (from == _position)
            {
                return (page, askedAt);
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
