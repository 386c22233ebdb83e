using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Who listens for news, and is told of them when the test looks.</summary>
internal sealed partial class RolloutFleet
{
    private readonly Dictionary<(int Partition, ResourceId Rollout), (ListenForNews Command, DateTimeOffset At)> _listeners = [];
    private readonly Dictionary<ResourceId, int> _listens = [];

    /// <summary>The silo's.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    /// <summary>How the coordinator is told; set by the silo.</summary>
    public Action<ResourceId, int, bool>? Hear { get; set; }

    /// <summary>Nothing that is told arrives, and nobody knows.</summary>
    public bool LosesNews { get; set; }

    /// <summary>As a silo of an earlier version, which does not know what listening is.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>It takes no listeners.</summary>
    public bool IsFull { get; set; }

    /// <summary>How often shares of the rollout have listened, which is at the end of each step in which nothing was left to do.</summary>
    public int ListensOf(string rollout)
    {
        lock (_gate)
        {
            return _listens.GetValueOrDefault(RolloutId(rollout));
        }
    }

    public ListenReply Listen(int partition, ListenForNews command)
    {
        lock (_gate)
        {
            // A tail tells before anybody can read.
            TellNews(partition);
            _listens[command.Rollout] = _listens.GetValueOrDefault(command.Rollout) + 1;
            if (IsDeaf)
            {
                throw new NotSupportedException("An earlier version, on purpose.");
            }

            if (IsFull || LateTails.ContainsKey(partition))
            {
                return ListenReply.Refused;
            }

            if (ReadNews(partition, command).HasFeed)
            {
                return ListenReply.FeedHasNews;
            }

            var knowsReach = !HasOtherReach(partition, command);
            _listeners[(partition, command.Rollout)] = (knowsReach ? command : command with { Reach = null }, Clock.GetUtcNow());
            return knowsReach ? ListenReply.Listening : ListenReply.ReachHasChanged;
        }
    }

    /// <summary>Forgets who listens, as a partition does whose silo died.</summary>
    public void ForgetListeners()
    {
        lock (_gate)
        {
            _listeners.Clear();
        }
    }

    /// <summary>As the partitions' tails do all the time.</summary>
    /// <param name="only">Null for all.</param>
    public void TellNews(int? only = null)
    {
        lock (_gate)
        {
            foreach (var ((partition, rollout), (listener, at)) in
                _listeners.Where(kept => only is null || only == kept.Key.Partition).ToArray())
            {
                if (Clock.GetUtcNow() - at > NewsListeners.Lifetime)
                {
                    _listeners.Remove((partition, rollout));
                    continue;
                }

                var (hasFeed, read) = ReadNews(partition, listener);
                var hasReach = HasOtherReach(partition, listener);
                _listeners.Remove((partition, rollout));
                if (!hasFeed)
                {
                    // What was read has nothing for it, and is not read again.
                    _listeners[(partition, rollout)] = (listener with { After = read, Reach = hasReach ? null : listener.Reach }, at);
                }

                if (hasFeed || hasReach)
                {

                    if (!LosesNews)
                    {
                        Hear?.Invoke(rollout, partition, hasFeed);
                    }
                }
            }
        }
    }

    /// <summary>As if each partition had news for the rollout: its shares are asked once more.</summary>
    public void TellOfEverything(string rollout)
    {
        foreach (var partition in PartitionsOf(rollout))
        {
            Hear?.Invoke(RolloutId(rollout), partition, true);
        }
    }

    private (bool HasFeed, FeedPosition Next) ReadNews(int partition, ListenForNews listener)
    {
        // The store in memory answers at once.
        var read = Store.FollowAsync(partition, listener.After, int.MaxValue, CancellationToken.None);
        var page = TailRing.PageOf(read.GetAwaiter().GetResult());
        return (
            page.Continuity != FeedContinuity.Follows
                || page.Changes.Any(change => NewsListeners.IsFor(change, listener.Tenant, listener.Rollout)),
            page.Next);
    }

    private bool HasOtherReach(int partition, ListenForNews listener) =>
        listener.Reach is { } known && ListConnected(partition, default)!.Mark != known;
}
