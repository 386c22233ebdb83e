using Microsoft.Extensions.Logging;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// Budgets per value: a member has a seat in each of its groups before its permit is committed, and until its end is. What is remembered of
/// seats is in memory only. Without such budgets nothing of this costs anything.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>Who is refused makes room for the next in the order; after so many times the permits that are left lapse.</summary>
    private const int SeatRoundsMax = 4;

    /// <summary>Null without budgets per value.</summary>
    private ShareSeats? _seats;

    /// <summary>Who can be offered something now.</summary>
    private IReadOnlyList<MemberReach> ReachNow => _seats?.Mask(_members!.Reach, _clock.GetUtcNow()) ?? _members!.Reach;

    public async Task<ImmutableArray<int>> ListUnseatedAsync(ListUnseated query)
    {
        ArgumentNullException.ThrowIfNull(query);
        if (_share?.Freeze != query.Freeze)
        {
            throw new InvalidOperationException($"Partition {_partition} has no members of this freeze of rollout '{_rollout}'.");
        }

        ImmutableArray<int> unseated = [.. query.Members.Except(_share.Open.Select(offer => offer.Member))];
        if (!unseated.IsEmpty)
        {
            // A commit that is still on its way, of this activation or of another, finds another version from now on.
            await CommitAsync(_share, fact: null);
            _seats?.Forget(unseated);
        }

        return unseated;
    }

    /// <summary>While silos are replaced, a coordinator of an earlier version tells none: then nobody is offered anything.</summary>
    private bool KnowsBudgets(AdvanceShare command) =>
        (command.Budgets.IsDefault ? 0 : command.Budgets.Length) == (_seats?.Budgets ?? 0);

    /// <summary>Of members in progress whose seats are not known: this activation is new, or an offer was made that was given up.</summary>
    private async Task ClaimSeatsAsync(AdvanceShare command)
    {
        for (var budget = 0; budget < _seats?.Budgets && KnowsBudgets(command); budget++)
        {
            var open = _share!.Open.Select(offer => offer.Member);
            await TakeSeatsAsync(_seats.Missing(open, budget, command.Budgets[budget].Limit, isClaim: true));
        }
    }

    /// <summary>Who can be offered something and has its seats: they are asked for in the order in which permits are used.</summary>
    private async Task<IReadOnlyList<MemberReach>> SeatAsync(AdvanceShare command, PermitGrant grant)
    {
        if (_seats is not { } seats)
        {
            return _members!.Reach;
        }

        for (var round = 0; round < SeatRoundsMax; round++)
        {
            var reach = seats.Mask(_members!.Reach, grant.Now);
            var next = ShareRules.TakePermits(_share!, grant, _members.Waves, reach);
            var chosen = next.Open.Skip(_share!.Open.Length).Select(offer => offer.Member).ToList();
            if (chosen.TrueForAll(seats.IsSeated))
            {
                break;
            }

            // One budget after the other, and who is refused asks no further: nobody waits with a seat in his hand.
            for (var budget = 0; budget < seats.Budgets; budget++)
            {
                await TakeSeatsAsync(seats.Missing(chosen, budget, command.Budgets[budget].Limit, isClaim: false));
                chosen.RemoveAll(member => !seats.IsSeated(member, budget));
            }
        }

        return seats.Seated(_members!.Reach);
    }

    private async Task TakeSeatsAsync(ImmutableArray<SeatWant> wants)
    {
        foreach (var chunk in wants.GroupBy(want => BucketOf(want.Group)).Chunk(RolloutFreeze.FanOutMax))
        {
            await Task.WhenAll(chunk.Select(bucket => TakeSeatsAsync(bucket.Key, [.. bucket])));
        }
    }

    private async Task TakeSeatsAsync(int bucket, ImmutableArray<SeatWant> wants)
    {
        ImmutableArray<SeatsTaken> answers;
        try
        {
            answers = await GrainFactory.GetRolloutGroups(_tenant, _rollout, bucket)
                .TakeAsync(new TakeSeats(_share!.Freeze, _partition, wants));
        }
        catch (Exception fault) when (wants.All(want => !want.IsClaim))
        {
            // A claim is another matter: before those in progress are counted nothing is granted, so the step fails with it.
            // Seats that were taken all the same are taken once more, or back by the group.
            LogGroupsSilent(fault, _rollout.Value, bucket);
            answers = [.. wants.Select(_ => new SeatsTaken([]))];
        }

        foreach (var (want, answer) in wants.Zip(answers))
        {
            _seats!.Take(want, answer.Seats, _clock.GetUtcNow());
        }
    }

    /// <summary>
    /// Gives back what nobody needs: of members whose end is committed, and of members that got not all of their seats. One that cannot be
    /// given back now is with the next step.
    /// </summary>
    private async Task ReturnSeatsAsync()
    {
        if (_seats is null)
        {
            return;
        }

        var open = _share!.Open.Select(offer => offer.Member).ToHashSet();
        var spare = _seats.Leave(open);
        if (spare.IsEmpty)
        {
            return;
        }

        var stored = _record.State.Share!.Open.Select(offer => offer.Member);
        if (stored.Except(open).Intersect(spare.Select(seat => seat.Member)).Any())
        {
            // A crash would let these members be offered the change again, and no seat would count them.
            await CommitAsync(_share, fact: null);
        }

        foreach (var chunk in spare.GroupBy(seat => BucketOf(seat.Group)).Chunk(RolloutFreeze.FanOutMax))
        {
            await Task.WhenAll(chunk.Select(bucket => ReturnSeatsAsync(bucket.Key, [.. bucket])));
        }
    }

    private async Task ReturnSeatsAsync(int bucket, ImmutableArray<SeatReturn> seats)
    {
        try
        {
            await GrainFactory.GetRolloutGroups(_tenant, _rollout, bucket).ReturnAsync(new ReturnSeats(_share!.Freeze, _partition, seats));
        }
        catch (Exception fault)
        {
            LogGroupsSilent(fault, _rollout.Value, bucket);
            return;
        }

        foreach (var seat in seats)
        {
            _seats!.Return(seat);
        }
    }

    private int BucketOf(GroupName group) => _partitions.OfGroup(group.ToString());

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: the groups of bucket {Bucket} do not answer")]
    private partial void LogGroupsSilent(Exception fault, string rolloutId, int bucket);
}
