using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What devices do when their rollout is rolled back.</summary>
internal sealed partial class RolloutWorld
{
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
