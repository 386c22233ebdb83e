using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>
/// The changes of rows on their way to a slow reader: of each record only the newest waits, so that a reader who falls behind
/// misses steps and never states. Bounded by <see cref="WaitingMax"/>.
/// </summary>
internal sealed class RowBuffer : IRowWatcher, IDisposable
{
    /// <summary>Records that wait for one reader: about 100 MB at worst, and a reader that far behind has to start anew.</summary>
    public const int WaitingMax = 100_000;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _changed = new(0);
    private Dictionary<RecordKey, ListedRow> _waiting = [];
    private bool _signalled;

    public bool IsOverrun { get; private set; }

    public Task RowChangedAsync(ListedRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        lock (_gate)
        {
            if (_waiting.Count >= WaitingMax && !_waiting.ContainsKey(row.Record))
            {
                IsOverrun = true;
            }
            else if (!_waiting.TryGetValue(row.Record, out var known) || known.Version <= row.Version)
            {
                _waiting[row.Record] = row;
            }

            if (!_signalled)
            {
                _signalled = true;
                _changed.Release();
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>What waits, or nothing when the time is over.</summary>
    public async Task<IReadOnlyCollection<ListedRow>> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await _changed.WaitAsync(timeout, cancellationToken);
        lock (_gate)
        {
            var taken = _waiting;
            _waiting = [];
            _signalled = false;
            return taken.Values;
        }
    }

    public void Dispose() => _changed.Dispose();
}

/// <summary>What a watcher is told: a row as it is now, or that one no longer matches, or neither, when the snapshot is complete.</summary>
/// <param name="Row">The row; null for the others.</param>
/// <param name="Left">The record that no longer matches; null for the others.</param>
internal readonly record struct RowNews(ListedRow? Row, RecordKey? Left)
{
    public static RowNews SnapshotComplete { get; } = new(null, null);
}

/// <summary>A snapshot of rows and then each that changes.</summary>
internal sealed class RowWatch(IGrainFactory grains, RowLister lister, TimeProvider clock)
{
    /// <summary>Inventories forget a watcher after three minutes, so that one renewal may fail.</summary>
    public static readonly TimeSpan RenewInterval = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Rows of the snapshot, the marker that it is complete, then changed rows and those that ceased to match, until the caller cancels.
    /// With every renewal all rows are compared with what was sent: a change that was lost with a silo is made up for then.
    /// </summary>
    public async IAsyncEnumerable<RowNews> RunAsync(Listing listing, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var buffer = new RowBuffer();
        var observer = grains.CreateObjectReference<IRowWatcher>(buffer);
        var query = listing.Rows(PagePlace.Start, RowQuery.RowsLimit);
        var sent = new SentRows();
        try
        {
            // Subscribed before the snapshot: what changes meanwhile waits in the buffer.
            await lister.ForEachPartitionAsync(grain => grain.WatchAsync(observer, query), cancellationToken);
            await foreach (var news in CompareAsync(listing, sent, cancellationToken))
            {
                yield return news;
            }

            yield return RowNews.SnapshotComplete;
            var renewed = clock.GetTimestamp();
            while (!cancellationToken.IsCancellationRequested)
            {
                foreach (var row in await buffer.TakeAsync(RenewInterval - Elapsed(renewed), cancellationToken))
                {
                    if (sent.Take(row) is { } news)
                    {
                        yield return news;
                    }
                }

                if (buffer.IsOverrun)
                {
                    throw FleetErrors.LimitReached("changes that wait for one watch", RowBuffer.WaitingMax);
                }

                if (clock.GetElapsedTime(renewed) >= RenewInterval)
                {
                    renewed = clock.GetTimestamp();
                    await lister.ForEachPartitionAsync(grain => grain.WatchAsync(observer, query), cancellationToken);
                    await foreach (var news in CompareAsync(listing, sent, cancellationToken))
                    {
                        yield return news;
                    }
                }
            }
        }
        finally
        {
            await UnwatchAsync(observer);
            grains.DeleteObjectReference<IRowWatcher>(observer);
        }
    }

    private TimeSpan Elapsed(long renewed)
    {
        var elapsed = clock.GetElapsedTime(renewed);
        return elapsed < RenewInterval ? elapsed : RenewInterval;
    }

    private async IAsyncEnumerable<RowNews> CompareAsync(
        Listing listing, SentRows sent, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        sent.BeginComparison();
        await foreach (var row in lister.ScanAsync(listing, cancellationToken))
        {
            if (sent.Compare(row) is { } news)
            {
                yield return news;
            }
        }

        foreach (var gone in sent.EndComparison())
        {
            yield return gone;
        }
    }

    private async Task UnwatchAsync(IRowWatcher observer)
    {
        try
        {
            await lister.ForEachPartitionAsync(grain => grain.UnwatchAsync(observer), CancellationToken.None);
        }
        catch (Exception exception) when (ErrorInterceptor.IsPassing(exception))
        {
            // Inventories forget it by themselves.
        }
    }
}
