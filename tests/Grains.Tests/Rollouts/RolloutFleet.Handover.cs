using System.Collections.Concurrent;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Rollouts;

/// <summary>Which offers found no connection.</summary>
internal sealed partial class RolloutFleet
{
    /// <summary>No message of an offer to these devices was handed to a connection.</summary>
    public HashSet<string> NotHandedOver { get; } = [];

    /// <summary>Partitions of which the tail hands nothing on for now.</summary>
    public ConcurrentDictionary<int, bool> LateTails { get; } = new();

    /// <summary>What the partition's tail hands on.</summary>
    public async Task<TailPage> FollowAsync(int partition, FeedPosition after) => LateTails.ContainsKey(partition)
        ? new TailPage(FeedContinuity.Follows, [], after, IsAtEnd: true)
        : TailRing.PageOf(await Store.FollowAsync(partition, after, 512, CancellationToken.None));

    /// <summary>How often devices were asked about an offer of a rollout that is cancelled.</summary>
    public Dictionary<string, int> CancelledAsks { get; } = [];

    /// <summary>Devices that were asked to give up what they may have.</summary>
    public HashSet<string> Recalled { get; } = [];

    /// <summary>The device's answer when its rollout is cancelled; null when its timers decide.</summary>
    public OfferReply? Cancel(string key, ExpireChange command)
    {
        lock (_gate)
        {
            var unit = _units[key];
            if (!command.IsCancelled || unit.Change != command.Rollout || Dead.Contains(key))
            {
                return null;
            }

            CancelledAsks[key] = CancelledAsks.GetValueOrDefault(key) + 1;
            DateTimeOffset? deliveredAt = Delivered.TryGetValue(key, out var at) ? at : null;
            if (deliveredAt is null && NotHandedOver.Contains(key))
            {
                Close(key, unit, ChangeOutcome.Withdrawn, OfferHandover.CancelledReason);
                return Closed(unit.Last!);
            }

            var timers = new ChangeTimers(command.InProgressMax, command.UndeliveredMax);
            if (timers.DeadlineOf(OfferedAt[key], deliveredAt) <= clock.GetUtcNow())
            {
                return null;
            }

            if (Recalled.Add(key))
            {
                Append(key, new ChangeRecalled(command.Rollout, 1, 2) { Retry = unit.Retry }, []);
            }

            return Open(unit) with { DeliveredAt = deliveredAt };
        }
    }
}
