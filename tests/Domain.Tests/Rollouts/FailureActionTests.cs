using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What a failure gate does when it fires, beside suspending.</summary>
public sealed class FailureActionTests
{
    private static readonly RolloutSpec Spec = RolloutBuilder.Spec(Wave(Amount.Count(5), 0), Wave(Amount.Percent(100))) with
    {
        FailureGate = new FailureGate(2, null, 1) { Action = FailureAction.Abort },
    };

    [Fact]
    public void Plan_WhenTheGateAborts_OffersNothingMoreAndEndsWithTheDevicesInProgress()
    {
        var plan = Granted(Started(Spec, 5, 5), 5, 0);

        var (aborting, report) = Step(Spec, plan, 1, Totals(5, failed: 2, inProgress: 3), Totals(5));
        var (still, _) = Step(Spec, aborting, 2, Totals(5, failed: 2, succeeded: 2, inProgress: 1), Totals(5));
        var (ended, _) = Step(Spec, still, 3, Totals(5, failed: 2, succeeded: 3), Totals(5));

        Assert.Equal((RolloutState.Cancelling, plan.Epoch + 1), (aborting.State, aborting.Epoch));
        Assert.Contains(report.Facts, fact => fact is RolloutAborting { Wave: 0 });
        Assert.Equal(0, OfferPermits.Outstanding(still));
        Assert.Equal([WaveState.Suspended, WaveState.Pending], still.Waves.Select(wave => wave.State));
        Assert.Equal((RolloutState.Aborted, Start.AddSeconds(3)), (ended.State, ended.EndedAt!.Value));
        Assert.True(ended.IsTerminal);
        Assert.Empty(PlanChecks.CheckStep(Spec, plan, aborting).AddRange(PlanChecks.Check(aborting)));
        Assert.Empty(PlanChecks.CheckStep(Spec, still, ended).AddRange(PlanChecks.Check(ended)));
    }

    [Fact]
    public void Plan_WhenNothingIsInProgress_AbortsAtOnce()
    {
        var (ended, report) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 1, Totals(5, failed: 2, succeeded: 3), Totals(5));

        Assert.Equal(RolloutState.Aborted, ended.State);
        Assert.Equal([PlanReasons.FailureGate, PlanReasons.Aborted], ended.Decisions.TakeLast(2).Select(decision => decision.Reason));
        Assert.Empty(report.Waves[0].WaitingOn);
    }

    [Fact]
    public void Plan_WhenAPassedWaveFailsLate_AbortsToo()
    {
        var (running, _) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 1, Totals(5, succeeded: 5), Totals(5));

        var (aborting, _) = Step(Spec, running, 2, Totals(5, succeeded: 3, failed: 2), Totals(5, inProgress: 2));

        Assert.Equal([WaveState.Suspended, WaveState.Running], aborting.Waves.Select(wave => wave.State));
        Assert.Equal(RolloutState.Cancelling, aborting.State);
    }

    [Fact]
    public void Cancel_OfARolloutThatIsAborting_ChangesNothing()
    {
        var (aborting, _) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 1, Totals(5, failed: 2, inProgress: 3), Totals(5));

        var cancelled = RolloutLifecycle.Cancel(aborting, Order());

        Assert.Null(cancelled.Error);
        Assert.Empty(cancelled.Events);
    }

    [Fact]
    public void Check_OfAnAbortThatNoGateOrdered_IsWrong()
    {
        var running = Started(Spec, 5, 5);
        var aborting = running with { State = RolloutState.Cancelling, IsAborting = true };
        var suspending = Spec with { FailureGate = Spec.FailureGate with { Action = FailureAction.Suspend } };

        Assert.NotEmpty(PlanChecks.CheckStep(Spec, running, aborting));
        Assert.NotEmpty(PlanChecks.CheckStep(suspending, running, aborting with { Epoch = running.Epoch + 1 }));
        Assert.NotEmpty(PlanChecks.Check(running with { IsAborting = true }));
        Assert.NotEmpty(PlanChecks.Check(running with { State = RolloutState.Aborted }));
    }

    [Fact]
    public void Validate_OfAnActionThatNobodyKnows_SaysSo()
    {
        var spec = Spec with { FailureGate = Spec.FailureGate with { Action = (FailureAction)3 } };

        Assert.Equal("failure_gate.action", Assert.Single(RolloutSpecRules.Validate(spec)).Field);
    }
}
