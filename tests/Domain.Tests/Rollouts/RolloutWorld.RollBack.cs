using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What devices do when their rollout is rolled back.</summary>
internal sealed partial class RolloutWorld
{
    /// <summary>Now and then a crash comes just when offers were made, and hits everything.</summary>
    private bool OfferInTheDark()
    {
        if (!_committed.IsOffering || _random.Next(_spec.Windows.IsEmpty ? 12 : 3) > 0)
        {
            return false;
        }

        PlanAndSend(loss: 3);
        return true;
    }

    /// <summary>
    /// The tails are late after it, and an operator turns the rollout round, or cancels it when its window shuts just then: of its newest
    /// offers no share knows any more, and their devices say what became of them.
    /// </summary>
    private void StopInTheDark()
    {
        foreach (var share in _shares)
        {
            share.OldReports.Add(share.LastReport(_now));
            share.IsBehind = true;
            share.Crash();
        }

        var soon = Enumerable.Range(1, 20).Select(seconds => _now.AddSeconds(seconds)).ToList();
        if (soon.FindIndex(at => !OfferWindow.IsOpen(_spec.Windows, at)) is >= 0 and var shut)
        {
            _now = soon[shut];
            Obey(RolloutLifecycle.Cancel(_memory, RolloutBuilder.Order(_now, "it is wrong")));
            PlanAndSend(loss: 3);
            return;
        }

        Obey(RollBackOrders.RollBack(RolloutOf(_spec, _memory), 0, [], RolloutBuilder.Order(_now, "it is wrong")));
    }

    /// <summary>
    /// Of the way there, once it is left: what the device had not named yet is taken back, what it has goes on, and so does another attempt
    /// than the one that it is asked about.
    /// </summary>
    private WorldAnswer? TakeBack(WorldMember member, int retry)
    {
        var isNamed = _random.Next(2) == 0;
        if (member.MayBeTakenBack(retry) && !isNamed)
        {
            member.End(MemberState.Waiting, _now, WayBack.Ordered);
        }

        return _random.Next(8) == 0 ? null : member.Answer(retry);
    }
}
