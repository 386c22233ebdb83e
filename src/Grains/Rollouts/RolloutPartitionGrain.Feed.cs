using Microsoft.Extensions.Logging;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The share as a durable reader of its partition's feed, which the partition's tail reads for all shares.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>A restart reads at most this much again, some milliseconds of work.</summary>
    private const int EntriesBetweenCommits = 1024;

    private async Task ReadFeedAsync(RetryPolicy? retries)
    {
        // Before anything is read, and with what is committed: what a crash makes it read again has to be there.
        await _hold.FollowAsync(new FeedPosition(_record.State.Share!.Position, _record.State.Share.PositionFingerprint));
        while (true)
        {
            var position = new FeedPosition(_share!.Position, _share.PositionFingerprint);
            var page = await GrainFactory.GetInventory(_partition).FollowAsync(position);
            if (page.Continuity != FeedContinuity.Follows)
            {
                LogMissed(_rollout.Value, _partition, page.Continuity);
                var end = await _feed.GetEndAsync(_partition, CancellationToken.None);
                await _hold.ResetAsync(end);
                _share = ShareRules.Miss(_share, end.Sequence, end.Fingerprint);
                return;
            }

            var removed = ImmutableArray.CreateBuilder<DomainEvent>();
            foreach (var change in page.Changes)
            {
                var before = _share;
                _share = Take(_share, change, retries);
                AddRemoval(removed, before, _share, change);
            }

            _share = _share with { Position = page.Next.Sequence, PositionFingerprint = page.Next.Fingerprint };
            if (removed.Count > 0 || _share.Position - _record.State.Share!.Position >= EntriesBetweenCommits)
            {
                // With the position: read once more, it would be said once more.
                await CommitAsync(_share, removed.ToImmutable(), expectedEpoch: null, members: null);
            }

            if (page.IsAtEnd)
            {
                return;
            }
        }
    }

    private RolloutShare Take(RolloutShare share, DeviceChange change, RetryPolicy? retries)
    {
        if (!_members!.TryFind(change.Record.Key, out var member))
        {
            NoteNotMember(change);
            return share;
        }

        var wave = _members.Waves[member];
        var next = change.Fact switch
        {
            ChangeOffered fact when fact.Rollout == _rollout =>
                ShareRules.Confirm(share, member, wave, OfferOf(member, fact, change), fact.Retry),
            ChangeDelivered fact when fact.Rollout == _rollout => ShareRules.Confirm(
                share, member, wave, DeliveryOf(member, fact, change), fact.Retry),
            ChangeProgressed fact when fact.Rollout == _rollout => ShareInstalls.Begin(
                share, member, fact.Retry, fact.Generation, ShareInstalls.SinceOf(fact.Install, change.At)),
            ChangeClosed fact when fact.Rollout == _rollout =>
                ShareRules.Close(share, member, wave, EndOf(member, OfEnd(fact, change), retries)),
            _ => share,
        };
        return change.IsOutOfService ? ShareRules.Leave(next, member) : next;
    }

    /// <summary>Of a member with an offer its device's own fact says so.</summary>
    private void AddRemoval(ImmutableArray<DomainEvent>.Builder facts, RolloutShare before, RolloutShare after, DeviceChange change)
    {
        if (_members!.TryFind(change.Record.Key, out var member)
            && after.Members[member] == MemberStatus.Removed
            && before.Members[member] is var status and not (MemberStatus.Removed or MemberStatus.Offered))
        {
            facts.Add(new RolloutMemberRemoved(_rollout, _members.Points[member].Device, status));
        }
    }

    private static OpenOffer OfferOf(int member, long generation, DeviceChange change, long epoch = 0) =>
        new(member, epoch, IsConfirmed: true, change.At, DeliveredAt: null) { Generation = generation };

    private static OpenOffer OfferOf(int member, ChangeOffered fact, DeviceChange change) =>
        OfferOf(member, fact.Generation, change, fact.Epoch) with { FirstOfferedAt = fact.FirstOfferedAt };

    private static OpenOffer DeliveryOf(int member, ChangeDelivered fact, DeviceChange change) =>
        OfferOf(member, fact.Generation, change) with
        {
            DeliveredAt = change.At,
            InstallsSince = ShareInstalls.SinceOf(fact.Install, change.At),
        };

    private static MemberOutcome OfEnd(ChangeClosed fact, DeviceChange change) =>
        new(fact.Outcome, fact.Retry, fact.Reason, change.At) { WasMade = true, Generation = fact.Generation };

    private MemberOutcome EndOf(int member, MemberOutcome end, RetryPolicy? retries) =>
        end with { RetryAt = retries?.NextAfter(end, _members!.Points[member].Hash) };

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Rollout {RolloutId}: the feed of partition {Partition} is {Continuity}; its members with a permit are asked")]
    private partial void LogMissed(string rolloutId, int partition, FeedContinuity continuity);
}
