using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What devices do when their rollout is cancelled.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>
    /// What no connection got is taken back at once; who may have the rest is asked once, and goes on until he answers. So is who may not
    /// be offered anything while no window is open, whether or not his share knows that he was.
    /// </summary>
    private WorldAnswer? Recall(WorldMember member, OpenOffer offer, int retry)
    {
        var arrives = _random.Next(8);
        if (arrives == 0)
        {
            return null;
        }

        if (!member.IsRecalled && member.MayBeTakenBack(retry) && _random.Next(3) == 0)
        {
            member.End(MemberState.Waiting, _now, OfferHandover.CancelledReason); // it had not left
        }
        else if (member.Recall(retry, _now))
        {
            Demand(
                _committed.State == RolloutState.Cancelling || _committed.RollBack is not null, "asked to give up what nobody cancelled");
            Demand(!member.Recall(retry, _now), "asked twice");
            if (!offer.IsConfirmed)
            {
                Count(Reached.UnconfirmedRecalled);
            }

            if (_random.Next(4) == 0)
            {
                member.GiveUp(_now);
            }
        }

        return arrives == 1 ? null : member.Answer(retry);
    }

    /// <summary>Half of those who are asked cannot stop any more, and get there.</summary>
    private void EndAtLast(WorldMember member)
    {
        if (member is { State: MemberState.InProgress, IsRecalled: true } && _random.Next(2) == 0)
        {
            member.GiveUp(_now);
        }
        else if (!IsOnStep(member))
        {
            member.End(member.State == MemberState.InProgress ? MemberState.Succeeded : member.State, _now);
        }
    }

    /// <summary>Only the way back comes after a cancellation.</summary>
    private void CheckRecalled() => Demand(
        _committed.RollBack is not null
        || !_shares.Any(share => share.Members.Any(member => member is { State: MemberState.InProgress, IsRecalled: true })),
        "offered the way there while others are asked to give it up");
}
