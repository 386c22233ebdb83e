using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>One watch while it lasts.</summary>
internal sealed class RowWatchRun
{
    /// <summary>Clocks of gateways and silos differ by less; who came or went meanwhile is told twice.</summary>
    private static readonly TimeSpan ClockDifference = TimeSpan.FromSeconds(10);

    private readonly RowLister _lister;
    private readonly PartitionMap _partitions;
    private readonly TimeProvider _clock;
    private readonly Listing _listing;
    private readonly RowBuffer _buffer;
    private readonly IRowWatcher _observer;
    private readonly RowQuery _query;
    private readonly bool _dependsOnClock;

    /// <summary>
    /// Only for filters that look at presence, where an inventory does not know who matched before: which rows the watcher has. Others
    /// cost no memory for what they have sent.
    /// </summary>
    private readonly SentRows? _sent;

    private WatchReply[] _replies = [];
    private DateTimeOffset _repliedAt;

    public RowWatchRun(
        RowLister lister, PartitionMap partitions, TimeProvider clock, Listing listing, RowBuffer buffer, IRowWatcher observer)
    {
        (_lister, _partitions, _clock, _listing, _buffer, _observer) = (lister, partitions, clock, listing, buffer, observer);
        _query = listing.Rows(PagePlace.Start, RowQuery.RowsLimit);
        var (filter, _) = _query.ReadFilter();
        _dependsOnClock = filter.DependsOnClock;
        _sent = filter.LooksAtPresence || filter.DependsOnClock ? new SentRows() : null;
    }

    /// <summary>How far each partition had told when it was asked.</summary>
    public async Task<(DateTimeOffset At, WatchReply[] Replies)> RenewAsync(CancellationToken cancellationToken)
    {
        var at = _clock.GetUtcNow();
        var replies = new WatchReply[_partitions.Count];
        await _lister.ForEachPartitionAsync(
            async (inventory, partition) => replies[partition] = await inventory.WatchAsync(_observer, _query)
                ?? throw FleetErrors.LimitReached("watches of one part of the inventory", RowQuery.WatchersMax),
            cancellationToken);
        return (at, replies);
    }

    public async IAsyncEnumerable<RowNews> SnapshotAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _sent?.BeginComparison();
        await foreach (var row in _lister.ScanAsync(_listing, cancellationToken))
        {
            if (_sent is null || _sent.Compare(row) is not null)
            {
                yield return RowNews.Of(row);
            }
        }

        foreach (var gone in _sent?.EndComparison() ?? [])
        {
            yield return new RowNews(null, gone, null);
        }
    }

    public async IAsyncEnumerable<RowNews> ResumeAsync(ResumePoint from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_sent is not null)
        {
            // What the watcher has from before; what changed since is told below.
            await foreach (var row in _lister.ScanAsync(_listing, cancellationToken))
            {
                _sent.Compare(row);
            }
        }

        await foreach (var news in CatchUpAsync(from, Enumerable.Range(0, from.Positions.Length), cancellationToken))
        {
            yield return news;
        }
    }

    /// <summary>Renews, and tells what was lost since the last time.</summary>
    public async IAsyncEnumerable<RowNews> MakeUpAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var renewed = await RenewAsync(cancellationToken);
        foreach (var news in Sift(_buffer.Take()))
        {
            yield return news;
        }

        var behind = Enumerable.Range(0, _replies.Length).Where(partition => HasLost(partition, renewed.Replies[partition])).ToList();

        // Counted anew before the feed is read: what is lost from here on shows at the next renewal.
        behind.ForEach(partition => _buffer.Forgive(partition, renewed.Replies[partition]));
        await foreach (var news in CatchUpAsync(Point(), behind, cancellationToken))
        {
            yield return news;
        }

        if (_dependsOnClock)
        {
            await foreach (var news in SnapshotAsync(cancellationToken))
            {
                yield return news;
            }
        }

        yield return Reached(renewed);
    }

    public RowNews Reached((DateTimeOffset At, WatchReply[] Replies) renewed)
    {
        (_repliedAt, _replies) = renewed;

        // What changes by itself between two watches is in no feed.
        return new RowNews(null, null, _dependsOnClock ? null : Point());
    }

    public IEnumerable<RowNews> Sift(IEnumerable<ListedRow> rows) =>
        rows.Where(row => _sent is null || _sent.Take(row)).Select(RowNews.Of);

    private ResumePoint Point() => new(_repliedAt, [.. _replies.Select(reply => reply.Position)]);

    /// <summary>A new lineage knows nothing of what happened between the old one and itself.</summary>
    private bool HasLost(int partition, WatchReply reply) =>
        reply.Lineage != _replies[partition].Lineage || !_buffer.HasAll(partition, reply);

    /// <summary>What changed in these partitions since the point.</summary>
    private async IAsyncEnumerable<RowNews> CatchUpAsync(
        ResumePoint since, IEnumerable<int> behind, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in behind.Chunk(RowLister.PartitionsAtOnce))
        {
            var answers = new ConcurrentDictionary<int, ChangedRows>();
            await _lister.ForEachPartitionAsync(
                batch,
                async (inventory, partition) => answers[partition] =
                    await inventory.GetChangedSinceAsync(_query, since.Positions[partition], since.At - ClockDifference)
                    ?? throw ResumeTokens.Expired(),
                cancellationToken);
            foreach (var (partition, changed) in answers)
            {
                foreach (var row in changed.Rows)
                {
                    _sent?.Take(row);
                    yield return RowNews.Of(row);
                }

                if (changed.KnowsPresence)
                {
                    continue;
                }

                await foreach (var row in _lister.ScanAsync(_listing, partition, cancellationToken))
                {
                    _sent?.Take(row);
                    yield return RowNews.Of(row);
                }
            }
        }
    }
}
