using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Grains.Revocations;

namespace Muster.Grains.Inventory;

/// <summary>
/// The backstop of all tails of this silo: a nudge can be lost, so every feed is looked at once a second, and the tail of one that has
/// moved is nudged. One clock for all instead of a timer each: most of what an idle installation took was waking threads for its grains.
/// </summary>
internal sealed partial class TailPoll : IDisposable
{
    /// <summary>Nothing shown is older than this.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Partitions that one look is at, by default all: what a server answers within a millisecond, for which a commit may wait. Fewer
    /// would be more looks, each of which wakes the threads between here and the store.
    /// </summary>
    public const int PartitionsPerLook = PartitionMap.CountDefault;

    /// <summary>A store that is gone concerns all partitions, for as long as it is.</summary>
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly IFeedReader _feed;
    private readonly IGrainFactory _grains;
    private readonly RevocationTails _revocations;
    private readonly TimeProvider _clock;
    private readonly ILogger<TailPoll> _logger;
    private readonly int _looksPerInterval;
    private readonly ITimer _timer;
    private readonly ConcurrentDictionary<int, Tail> _tails = new();

    /// <summary>Partitions that are being asked for: one that does not answer must not hold up the others, nor be asked twice.</summary>
    private readonly ConcurrentDictionary<int, bool> _asked = new();
    private int _look;
    private long _warnedAt = long.MinValue;

    public TailPoll(
        IFeedReader feed,
        IGrainFactory grains,
        PartitionMap partitions,
        RevocationTails revocations,
        TimeProvider clock,
        ILogger<TailPoll> logger)
    {
        (_feed, _grains, _revocations, _clock, _logger) = (feed, grains, revocations, clock, logger);
        _looksPerInterval = Math.Max(1, partitions.Count / PartitionsPerLook);
        var every = Interval / _looksPerInterval;

        // The first tail makes this, while a grain is called: its looks are nobody's request.
        using var nobody = ExecutionContext.SuppressFlow();
        _timer = clock.CreateTimer(_ => Look(), null, every, every);
    }

    /// <summary>The tail of a partition is here, and has read up to this position.</summary>
    public void Set(int partition, object owner, FeedPosition position) => _tails[partition] = new Tail(owner, position);

    /// <summary>It is here no more, unless another took its place.</summary>
    public void Forget(int partition, object owner)
    {
        if (_tails.TryGetValue(partition, out var tail) && tail.Owner == owner)
        {
            _tails.TryRemove(KeyValuePair.Create(partition, tail));
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var part = _look = (_look + 1) % _looksPerInterval;
        foreach (var (partition, tail) in _tails)
        {
            if (partition % _looksPerInterval == part && _asked.TryAdd(partition, true))
            {
                _ = LookAsync(partition, tail);
            }
        }
    }

    private async Task LookAsync(int partition, Tail tail)
    {
        try
        {
            var askedAt = _clock.GetTimestamp();
            if (await _feed.IsAtEndAsync(partition, tail.Position, CancellationToken.None))
            {
                _revocations.Prove(partition, tail.Owner, askedAt);
            }
            else
            {
                await _grains.GetInventory(partition).NudgeAsync();
            }
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            Warn(fault, partition);
        }
        finally
        {
            _asked.TryRemove(partition, out _);
        }
    }

    private void Warn(Exception fault, int partition)
    {
        var (now, warnedAt) = (_clock.GetTimestamp(), Volatile.Read(ref _warnedAt));
        var isDue = warnedAt == long.MinValue || _clock.GetElapsedTime(warnedAt, now) >= WarningInterval;
        if (isDue && Interlocked.CompareExchange(ref _warnedAt, now, warnedAt) == warnedAt)
        {
            LogBlind(fault, partition);
        }
    }

    private sealed record Tail(object Owner, FeedPosition Position);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The feed of partition {Partition}, and maybe of others, could not be looked at; it is looked at every second")]
    private partial void LogBlind(Exception fault, int partition);
}
