using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What devices do when their rollout is rolled back.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>Now and then a crash comes just when offers were made, and hits everything.</summary>
    private bool OfferInTheDark()
    {
        if (!_committed.IsOffering || _random.Next(12) > 0)
        {
            return false;
        }

        PlanAndSend(loss: 3);
        return true;
    }

    /// <summary>
    /// The tails are late after it, and an operator turns the rollout round: of its newest offers no share knows any more, and their
    /// devices say what became of them.
    /// </summary>
    private void TurnRoundInTheDark()
    {
        foreach (var share in _shares)
        {
            share.OldReports.Add(share.LastReport(_now));
            share.IsBehind = true;
            share.Crash();
        }

        Obey(RollBackOrders.RollBack(RolloutOf(_spec, _memory), 0, [], RolloutBuilder.Order(_now, "it is wrong")));
    }

    /// <summary>What may be taken back: of the way there once it is left.</summary>
    private static bool IsTakenBack(RolloutShare share, OpenOffer offer, Message message) =>
        RollBackRules.IsOnTheWayThere(share, offer.Member);

    /// <summary>What the device had not named yet is taken back; what it has goes on.</summary>
    private WorldAnswer? TakeBack(WorldMember member, int retry)
    {
        var isNamed = _random.Next(2) == 0;
        if (member.State == MemberState.InProgress && !isNamed)
        {
            member.End(MemberState.Waiting, _now);
        }

        return _random.Next(8) == 0 ? null : member.Answer(retry);
    }
}
