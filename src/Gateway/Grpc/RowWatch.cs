using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Grpc;

/// <summary>
/// What a watcher is told: a row as it is now, or that one no longer matches, or neither: then all that is known up to the point was told.
/// </summary>
/// <param name="Row">The row; null for the others.</param>
/// <param name="Left">The record that no longer matches; null for the others.</param>
/// <param name="Point">Where another watch may go on; null for the others, and where none can.</param>
internal readonly record struct RowNews(ListedRow? Row, RecordKey? Left, ResumePoint? Point)
{
    public static RowNews Of(ListedRow row) => row.HasLeft ? new RowNews(null, row.Record, null) : new RowNews(row, null, null);
}

/// <summary>A snapshot of rows, or what changed since a point, and then each row that changes.</summary>
internal sealed class RowWatch(
    IGrainFactory grains, RowLister lister, PartitionMap partitions, IOptions<OperatorsOptions> options, TimeProvider clock)
{
    /// <summary>All partitions are asked then: where changes go on being lost, not with each of them.</summary>
    private static readonly TimeSpan MakeUpInterval = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Rows of the snapshot (or of what changed since <paramref name="from"/>), the first point, then changed rows and those that ceased to
    /// match, until the caller cancels. With every renewal what was lost with a silo is made up for, and a new
    /// point follows; a loss that shows itself is made up for within seconds.
    /// </summary>
    public async IAsyncEnumerable<RowNews> RunAsync(
        Listing listing, ResumePoint? from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var interval = options.Value.WatchRenewInterval;
        using var buffer = new RowBuffer(partitions.Count, clock);
        var observer = grains.CreateObjectReference<IRowWatcher>(buffer);
        var run = new RowWatchRun(lister, partitions, clock, listing, buffer, observer);
        try
        {
            // Subscribed before the snapshot: what changes meanwhile waits in the buffer.
            var replies = await run.RenewAsync(cancellationToken);
            await foreach (var news in from is null ? run.SnapshotAsync(cancellationToken) : run.ResumeAsync(from, cancellationToken))
            {
                yield return news;
            }

            yield return run.Reached(replies);
            var renewed = clock.GetTimestamp();
            while (!cancellationToken.IsCancellationRequested)
            {
                foreach (var news in run.Sift(await buffer.TakeAsync(Left(buffer, interval, renewed), cancellationToken)))
                {
                    yield return news;
                }

                if (buffer.IsOverrun)
                {
                    throw FleetErrors.LimitReached("changes that wait for one watch", RowBuffer.WaitingMax);
                }

                if (clock.GetElapsedTime(renewed) is var since && (since >= interval || (since >= MakeUpInterval && buffer.HasGap)))
                {
                    renewed = clock.GetTimestamp();
                    await foreach (var news in run.MakeUpAsync(cancellationToken))
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

    private TimeSpan Left(RowBuffer buffer, TimeSpan interval, long since)
    {
        var left = interval - clock.GetElapsedTime(since);
        left = buffer.HasEarly && left > RowBuffer.OvertakenMax ? RowBuffer.OvertakenMax : left;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async Task UnwatchAsync(IRowWatcher observer)
    {
        try
        {
            await lister.TellPartitionsAsync(grain => grain.UnwatchAsync(observer), CancellationToken.None);
        }
        catch (Exception exception) when (ErrorInterceptor.IsPassing(exception))
        {
            // Inventories forget it by themselves.
        }
    }
}
