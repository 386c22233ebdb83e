using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Other rollouts that want the same devices.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>With this rollout as many as a device remembers: nobody who waits is forgotten because there are more.</summary>
    private const int RivalsMax = ChangeTurns.RolloutsMax - 1;

    /// <summary>Those before this rollout, and behind it; each has its time of start for itself.</summary>
    private ImmutableArray<Rival> DrawRivals() => [.. Enumerable.Range(0, _random.Next(RivalsMax + 1)).Select(i =>
    {
        Assert.True(ResourceId.TryParse($"rival-{i}", out var id));
        var minutes = (i + 1) * (_random.Next(2) == 0 ? 1 : -1);
        var isOsImage = _random.Next(3) > 0;
        return new Rival(id, new ChangeRank(_random.Next(3), Start.AddMinutes(minutes))
        {
            IsOsImage = isOsImage,
            SupersedesOlder = isOsImage && _random.Next(2) == 0,
        });
    })];

    /// <summary>Its place in the line; on the way back it waits for nobody's turn.</summary>
    private ChangeRank Rank => RolloutOf(_spec, _committed).Rank!.Value;

    private void MoveRivals(WorldMember member)
    {
        if (_random.Next(40) == 0)
        {
            member.Turns.Forget();
        }

        if (member.Turns.Holder is not null && _random.Next(3) == 0)
        {
            EndRival(member, isTakenBack: _random.Next(4) == 0);
        }
        else if (!_rivals.IsEmpty && member.State != MemberState.Removed && _random.Next(3) == 0)
        {
            Come(_rivals[_random.Next(_rivals.Length)], member);
        }

        member.Turns.IsHere &= _random.Next(3) > 0;
    }

    /// <summary>It asks for the device, or says that it waits.</summary>
    private void Come(Rival rival, WorldMember member)
    {
        var turns = member.Turns;
        if (member.State == MemberState.InProgress)
        {
            var isUntold = member.InstallsSince is null && !member.IsRecalled && !WayBack.Is(member.Retry) && _random.Next(2) == 0;
            if (!isUntold || !(rival.Rank.IsOsImage && rival.Rank.Supersedes(Rank)) || !turns.IsFirst(rival.Id, rival.Rank, _now))
            {
                turns.Await(rival.Id, rival.Rank, _now);
                return;
            }

            Count(Reached.SupersededOffer);
            member.End(MemberState.Skipped, _now, DeviceChanges.Superseded);
            turns.Take(rival);
        }
        else if (turns.Holder is { } holder)
        {
            if (holder != rival)
            {
                turns.Await(rival.Id, rival.Rank, _now);
            }
        }
        else if (turns.FindBefore(rival.Id, rival.Rank, _now) is { } before)
        {
            Count(before.Rollout == Id ? Reached.KeptForThis : Reached.KeptForAnother);
        }
        else
        {
            turns.Take(rival);
        }
    }

    /// <summary>An image that it brought is what the device runs then.</summary>
    private static void EndRival(WorldMember member, bool isTakenBack)
    {
        var isImage = member.Turns.Holder is { Rank.IsOsImage: true };
        member.Turns.End(isTakenBack);
        if (isImage && !isTakenBack)
        {
            member.LeaveTarget();
        }
    }

    /// <summary>
    /// What keeps this rollout from a device that could be offered something; the way back waits for a change that is there, and for
    /// nobody's turn.
    /// </summary>
    private (MemberReach Reach, DateTimeOffset? AskAgainAt)? FindOthers(WorldMember member, int retry)
    {
        var (turns, rank) = (member.Turns, Rank);
        if (turns.Holder is { } holder)
        {
            var mayTake = !WayBack.Is(retry) && turns.IsHere && rank.IsOsImage && holder.Rank.IsOsImage && rank.Supersedes(holder.Rank);
            if (!mayTake)
            {
                return (MemberReach.Busy, null);
            }

            if (!turns.IsFirst(Id, rank, _now))
            {
                turns.Await(Id, rank, _now);
                return (MemberReach.Busy, null);
            }

            Count(Reached.SupersedesAnother);
            turns.End(isTakenBack: true);
            return null;
        }

        if (WayBack.Is(retry) || turns.FindBefore(Id, rank, _now) is not { } before)
        {
            return null;
        }

        Count(Reached.KeptForAnother);
        return (MemberReach.Busy, before.Until);
    }
}
