using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>
/// The backstop of all tails of this silo: a nudge can be lost, so every feed is looked at once a second, and the tail of one that has
/// moved is nudged. One clock for all instead of a timer each: in an idle installation a question to the store costs a tenth of what it
/// costs to wake a grain for it.
/// </summary>
internal sealed partial class TailPoll(IFeedReader feed, IGrainFactory grains, TimeProvider clock, ILogger<TailPoll> logger)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Nothing shown is older than this.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Every look is at a part of the partitions: a commit waits behind some tens of small requests, not behind hundreds.</summary>
    public const int LooksPerInterval = 4;

    /// <summary>A store that is gone concerns all partitions, for as long as it is.</summary>
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<int, Tail> _tails = new();

    /// <summary>Partitions that are being asked for: one that does not answer must not hold up the others, nor be asked twice.</summary>
    private readonly ConcurrentDictionary<int, bool> _asked = new();
    private ITimer? _timer;
    private int _look;
    private long _warnedAt = long.MinValue;

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

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(TailPoll),
        ServiceLifecycleStage.Active,
        _ =>
        {
            var every = Interval / LooksPerInterval;
            _timer = clock.CreateTimer(_ => Look(), null, every, every);
            return Task.CompletedTask;
        },
        async _ =>
        {
            if (_timer is { } timer)
            {
                await timer.DisposeAsync();
            }
        });

    private void Look()
    {
        var part = _look = (_look + 1) % LooksPerInterval;
        foreach (var (partition, tail) in _tails)
        {
            if (partition % LooksPerInterval == part && _asked.TryAdd(partition, true))
            {
                _ = LookAsync(partition, tail.Position);
            }
        }
    }

    private async Task LookAsync(int partition, FeedPosition position)
    {
        try
        {
            if (!await feed.IsAtEndAsync(partition, position, CancellationToken.None))
            {
                await grains.GetInventory(partition).NudgeAsync();
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
        var (now, warnedAt) = (clock.GetTimestamp(), Volatile.Read(ref _warnedAt));
        var isDue = warnedAt == long.MinValue || clock.GetElapsedTime(warnedAt, now) >= WarningInterval;
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
