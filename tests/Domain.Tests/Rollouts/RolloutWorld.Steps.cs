using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Devices that have steps before them, and what becomes of what they are offered.</summary>
internal sealed partial class RolloutWorld
{
    private void DrawSteps()
    {
        foreach (var member in _shares.SelectMany(share => share.Members).Where(_ => _spec.TakeSteps))
        {
            member.StepsLeft = _random.Next(3);
        }
    }

    /// <summary>It ends, or goes on; an offer that goes back says why, and whoever is asked for it gave it up.</summary>
    private void EndSomehow(WorldMember member)
    {
        var outcome = Outcome(member);
        var isFinal = _random.Next(4) == 0;
        member.End(outcome, _now, outcome switch
        {
            MemberState.Waiting when member.IsRecalled => OfferHandover.CancelledReason,
            MemberState.Waiting => OfferHandover.Reason,
            _ => isFinal ? "IMAGE_SIGNATURE_INVALID" : "",
        });
    }

    private MemberState Outcome(WorldMember member) => _random.Next(24) switch
    {
        0 => MemberState.Failed,
        1 => MemberState.TimedOut,
        2 => MemberState.Rejected,
        3 => MemberState.Removed,
        4 or 5 or 6 when member.MayBeTakenBack(member.Retry) && _now - member.OfferedAt >= OfferHandover.WaitMax =>
            MemberState.Waiting, // handed to nobody: its permit is free
        < 9 => MemberState.InProgress,
        _ when IsOnStep(member) => MemberState.InProgress,
        _ => MemberState.Succeeded,
    };

    /// <summary>
    /// A step is downloaded, installed and booted: that takes longer than the tail of a feed is late, and its end is read before its share
    /// asks again.
    /// </summary>
    private bool IsOnStep(WorldMember member) =>
        member is { State: MemberState.InProgress, StepsLeft: > 0 } && _now - member.OfferedAt < OfferHandover.WaitMax;
}
