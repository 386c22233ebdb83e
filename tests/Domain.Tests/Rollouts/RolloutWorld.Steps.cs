using System.Collections.Immutable;
using System.Globalization;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Devices that have steps before them, and what becomes of what they are offered.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>The images of the path, the last first.</summary>
    private static readonly ImmutableArray<StepImage> s_steps =
        [.. Enumerable.Range(1, 2).Select(left => new StepImage($"{left}", $"11.{left}", "active", [], ImageConditions.None))];

    /// <summary>What the catalogue says, of which the coordinator hears later.</summary>
    private readonly HashSet<int> _revokedSteps = [];

    private void DrawSteps()
    {
        foreach (var member in _shares.SelectMany(share => share.Members).Where(_ => _spec.TakeSteps))
        {
            member.StepsLeft = _random.Next(3);
        }
    }

    /// <summary>From when it is acknowledged nobody is offered it.</summary>
    private void RevokeStep()
    {
        if (_spec.TakeSteps && _random.Next(4) == 0)
        {
            _revokedSteps.Add(_random.Next(1, s_steps.Length + 1));
        }
    }

    /// <summary>The coordinator has asked the catalogue, or was answered of some.</summary>
    private void HearOfSteps()
    {
        if (_spec.TakeSteps && _random.Next(3) == 0)
        {
            var revoked = s_steps.Where(step => IsRevoked(int.Parse(step.Digest, CultureInfo.InvariantCulture)) && _random.Next(4) > 0);
            Obey(RolloutLifecycle.GiveUpSteps(_memory, revoked, RolloutBuilder.Order(_now)));
        }
    }

    private bool IsRevoked(int step) => _revokedSteps.Contains(step);

    /// <summary>As the share knows them.</summary>
    private static bool IsGivenUp(Message message, WorldMember member, int retry) =>
        member.StepOf(retry) is > 0 and var step
        && message.RevokedSteps.Contains(step.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Who has not named the offer of a revoked step is left out; who has, or is asked to give it up, goes on. A share that knows of
    /// another attempt takes nothing.
    /// </summary>
    private WorldAnswer? TakeBackStep(WorldMember member, int retry)
    {
        var isNamed = _random.Next(3) == 0;
        if (member.MayBeTakenBack(retry) && !member.IsRecalled)
        {
            Demand(IsRevoked(member.StepOf(retry)), "took back a step that is not revoked");
            Demand(_committed.IsRevokedStep($"{member.StepOf(retry)}"), "took back a step that its coordinator knows nothing of");
            Count(isNamed ? Reached.RevokedStepGoesOn : Reached.StepTakenBack);
            if (!isNamed)
            {
                member.End(MemberState.Skipped, _now, DeviceChanges.StepRevoked);
            }
        }

        return _random.Next(8) == 0 ? null : member.Answer(retry);
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
