using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Contracts.Revocations;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Revocations;

/// <summary>
/// Watches the revocations of all partitions: asks each silo twice a second, reads what it missed by position, and has what is open
/// closed or judged again.
/// </summary>
internal sealed partial class RevocationWatch(
    IGrainFactory grains,
    WatchedPartitions partitions,
    OpenAccess open,
    IEnumerable<PresenceReporter> presence,
    TimeProvider clock,
    ILogger<RevocationWatch> logger) : BackgroundService
{
    /// <summary>
    /// A silo looks at its feeds once a second. A proof that is looked for every half is at most a second and a half old, and a commit,
    /// which the silo hears of at once, is here as soon.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);

    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private int _stale;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                Ask(partitions.TakeAsks());
                open.Tick();
                Tell();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The gateway stops; what is asked is answered or times out.
            await Task.WhenAll(_running.Keys);
        }
    }

    private async Task AskAsync(int partition)
    {
        await Task.Yield();
        var isAnswered = false;
        try
        {
            var askedAt = clock.GetTimestamp();
            var reply = await grains.GetRevocations(partition).WatchAsync(partitions.Cursors());
            Act(reply.Revocations);
            foreach (var part in partitions.Take(reply, askedAt))
            {
                // Another activation than the one that was followed: it does not know who is connected.
                foreach (var reporter in presence)
                {
                    reporter.TellAll(part.Partition);
                }

                Run(CatchUpAsync(part));
            }

            isAnswered = true;
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // Asked again with the next tick, and others instead of it. What this means is said by the gate, and once by the count below.
            LogUnanswered(logger, fault, partition);
        }

        if (partitions.Asked(partition, isAnswered))
        {
            // At the start, or when a silo is gone: not as slowly as the clock ticks.
            Ask(partitions.TakeAsks(isBetween: true));
        }

        if (isAnswered)
        {
            open.Proved();
        }
    }

    private void Ask(IReadOnlyList<int> asks)
    {
        foreach (var partition in asks)
        {
            Run(AskAsync(partition));
        }
    }

    private async Task CatchUpAsync(MissedPart part)
    {
        try
        {
            var position = part.After;
            while (true)
            {
                var page = await grains.GetRevocations(part.Partition).ReadSinceAsync(position);
                if (page.Continuity != Contracts.Commit.FeedContinuity.Follows)
                {
                    LogLost(logger, part.Partition, page.Continuity);
                    partitions.Restart(part);
                    open.EndPartition(part.Partition);
                    return;
                }

                Act(page.Revocations);
                position = page.Next;
                if (page.IsAtEnd)
                {
                    break;
                }
            }

            partitions.CatchUp(part, position);
            open.Proved();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            LogUnanswered(logger, fault, part.Partition);
            partitions.CatchUp(part, null);
        }
    }

    private void Act(ImmutableArray<Revocation> revocations)
    {
        foreach (var revocation in revocations)
        {
            open.Act(revocation);
        }
    }

    /// <summary>Whoever reads the log is told when nobody is admitted any more, and when all are again.</summary>
    private void Tell()
    {
        var stale = partitions.CountStale();
        if (stale > 0 && _stale == 0)
        {
            LogStale(logger, stale);
        }
        else if (stale == 0 && _stale > 0)
        {
            LogFresh(logger);
        }

        _stale = stale;
    }

    private void Run(Task task)
    {
        if (task.IsCompleted || !_running.TryAdd(task, true))
        {
            return;
        }

        _ = task.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The revocations of partition {Partition} could not be asked for")]
    private static partial void LogUnanswered(ILogger logger, Exception fault, int partition);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The revocations of partition {Partition} cannot be read on ({Continuity}): its sessions are closed")]
    private static partial void LogLost(ILogger logger, int partition, Contracts.Commit.FeedContinuity continuity);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The revocations of {Partitions} partitions are not known up to now: their devices are not admitted")]
    private static partial void LogStale(ILogger logger, int partitions);

    [LoggerMessage(Level = LogLevel.Information, Message = "The revocations of all partitions are known up to now")]
    private static partial void LogFresh(ILogger logger);
}
