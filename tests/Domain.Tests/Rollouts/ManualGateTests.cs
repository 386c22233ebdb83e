using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Waves that wait for an approver behind their gate and their soak.</summary>
public sealed class ManualGateTests
{
    private static readonly RolloutSpec Spec = RolloutBuilder.Spec(
        Wave(Amount.Count(5), 80) with { NeedsApproval = true }, Wave(Amount.Percent(100))) with
    {
        FailureGate = new FailureGate(3, null, 1),
    };

    private static readonly ShareTotals Done = Totals(5, succeeded: 4, failed: 1);

    private static readonly ShareTotals[] Next = [Totals(5)];

    [Fact]
    public void Plan_BehindAnOpenGate_WaitsForAnApproverAndSaysSo()
    {
        var (waiting, report) = Waiting();
        var (still, quiet) = Step(Spec, waiting, 20, Done, Totals(5));

        Assert.Equal([WaveState.AwaitingApproval, WaveState.Pending], waiting.Waves.Select(wave => wave.State));
        Assert.Contains(report.Facts, fact => fact is WaveAwaitingApproval { Wave: 0 });
        Assert.Contains(WaitingOn.Approval, report.Waves[0].WaitingOn);
        Assert.Empty(quiet.Facts);
        Assert.Equal(WaveState.AwaitingApproval, still.Waves[0].State);
    }

    [Fact]
    public void Plan_WithASoak_AsksOnlyBehindIt()
    {
        var spec = Spec with { Waves = [Spec.Waves[0] with { Soak = TimeSpan.FromSeconds(30) }, Spec.Waves[1]] };

        var (soaking, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 10, Done, Totals(5));
        var early = RolloutApprovals.ApproveWave(RolloutOf(spec, soaking), 0, Approval(soaking.ApprovalEtag(0)));
        var (waiting, _) = Step(spec, soaking, 40, Done, Totals(5));

        Assert.Equal(WaveState.Soaking, soaking.Waves[0].State);
        Assert.Equal(RolloutErrors.WaveNotAwaitingReason, early.Error?.Reason);
        Assert.Equal(WaveState.AwaitingApproval, waiting.Waves[0].State);
    }

    [Fact]
    public void ApproveWave_BySomebodyElse_LetsThePlannerPassTheWave()
    {
        var (waiting, _) = Waiting();

        var approved = Approve(waiting, Approval(waiting.ApprovalEtag(0)));
        var (passed, _) = Step(Spec, approved.Next, 30, Done, Totals(5));

        Assert.Equal(WaveState.AwaitingApproval, approved.Next.Waves[0].State);
        Assert.Equal((PlanReasons.WaveApproved, Bert), (approved.Next.Decisions[^1].Reason, approved.Next.Decisions[^1].Actor));
        Assert.Equal([WaveState.Passed, WaveState.Running], passed.Waves.Select(wave => wave.State));
        Assert.Contains("approved by operator/bert", passed.Decisions[^2].Text, StringComparison.Ordinal);
        Assert.Empty(PlanChecks.CheckStep(Spec, waiting, approved.Next));
        Assert.Empty(PlanChecks.CheckStep(Spec, approved.Next, passed));
        Assert.Empty(Approve(passed, Approval(waiting.ApprovalEtag(0))).Events);
    }

    [Fact]
    public void ApproveWave_ByTheCreatorOrWithoutTheRole_IsRefused()
    {
        var (waiting, _) = Waiting();
        var etag = waiting.ApprovalEtag(0);

        Assert.Equal("APPROVER_IS_REQUESTER", Approve(waiting, Approval(etag, Anna)).Error?.Reason);
        Assert.Equal("APPROVER_IS_REQUESTER", Approve(waiting, Approval(etag, Actor.Rule("anna"))).Error?.Reason);
        Assert.Equal(
            "APPROVER_ROLE_MISSING", Approve(waiting, Approval(etag) with { Roles = [OperatorRole.Administrator] }).Error?.Reason);
    }

    [Fact]
    public void ApproveWave_OfWhatIsNotThereAnyMore_IsRefused()
    {
        var (waiting, _) = Waiting();
        var seen = waiting.ApprovalEtag(0);
        var (failedMore, _) = Step(
            Spec with { Waves = [Spec.Waves[0] with { SuccessPercent = 60 }, Spec.Waves[1]] },
            waiting, 20, Totals(5, succeeded: 3, failed: 2), Totals(5));
        var resumed = RolloutLifecycle.Resume(RolloutLifecycle.Pause(waiting, Order()).Next, Spec, accept: false, Order()).Next;

        Assert.Equal(RolloutErrors.WaveChangedReason, Approve(failedMore, Approval(seen)).Error?.Reason);
        Assert.Equal(RolloutErrors.WaveChangedReason, Approve(resumed, Approval(seen)).Error?.Reason);
        Assert.Equal(RolloutErrors.WaveChangedReason, Approve(waiting, Approval("")).Error?.Reason);
        Assert.Null(Approve(resumed, Approval(resumed.ApprovalEtag(0))).Error);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(2)]
    public void ApproveWave_ThatWaitsForNobody_IsRefused(int wave)
    {
        var (waiting, _) = Waiting();

        var refused = RolloutApprovals.ApproveWave(RolloutOf(Spec, waiting), wave, Approval(waiting.ApprovalEtag(0)));

        Assert.Equal(RolloutErrors.WaveNotAwaitingReason, refused.Error?.Reason);
    }

    [Theory]
    [InlineData(RolloutState.Paused)]
    [InlineData(RolloutState.Suspended)]
    [InlineData(RolloutState.Cancelling)]
    [InlineData(RolloutState.Cancelled)]
    public void ApproveWave_OfARolloutThatDoesNotRun_IsRefused(RolloutState state)
    {
        var (waiting, _) = Waiting();

        var refused = Approve(waiting with { State = state }, Approval(waiting.ApprovalEtag(0)));

        Assert.Equal(RolloutErrors.WrongStateReason, refused.Error?.Reason);
    }

    [Fact]
    public void Plan_WhenTheFailureGateFiresMeanwhile_SuspendsAndVoidsTheApproval()
    {
        var (waiting, _) = Waiting();
        var approved = Approve(waiting, Approval(waiting.ApprovalEtag(0))).Next;

        var (suspended, _) = Step(Spec, approved, 30, Totals(5, succeeded: 2, failed: 3), Totals(5));
        var resumed = RolloutLifecycle.Resume(suspended, Spec, accept: true, Order(reason: "seen")).Next;
        var (again, _) = Step(Spec, resumed, 40, Totals(5, succeeded: 2, failed: 3), Totals(5));

        Assert.Equal(RolloutState.Suspended, suspended.State);
        Assert.Null(suspended.Waves[0].Approval);
        Assert.Equal(WaveState.AwaitingApproval, again.Waves[0].State); // an override does not stand in for the approver
        Assert.Equal(WaveState.Pending, again.Waves[1].State);
    }

    [Fact]
    public void Plan_WhenOutcomesAreTakenBackMeanwhile_AsksAnew()
    {
        var (waiting, _) = Waiting();
        var approved = Approve(waiting, Approval(waiting.ApprovalEtag(0))).Next;

        var (reopened, report) = Step(Spec, approved, 30, Totals(5, succeeded: 3, failed: 1, inProgress: 1), Totals(5));
        var (again, _) = Step(Spec, reopened, 40, Done, Totals(5));

        Assert.Equal(WaveState.Running, reopened.Waves[0].State);
        Assert.Contains(report.Facts, fact => fact is WaveApprovalWaitBroken { Wave: 0 });
        Assert.Equal((WaveState.AwaitingApproval, (WaveApproval?)null), (again.Waves[0].State, again.Waves[0].Approval));
        Assert.NotEqual(waiting.ApprovalEtag(0), again.ApprovalEtag(0));
    }

    [Fact]
    public void Plan_OfAWaveEmptyAtTheFreeze_AsksNobody() =>
        Assert.Equal([WaveState.Passed, WaveState.Running], Started(Spec, 0, 5).Waves.Select(wave => wave.State));

    [Fact]
    public void CheckStep_OfAManualGateThatNobodyOpened_IsWrong()
    {
        var (waiting, _) = Waiting();
        var forged = waiting.Waves[0] with { Approval = new WaveApproval(Bert, Start, "") };
        var passed = waiting.Waves[0] with { State = WaveState.Passed, PassedAt = Start };

        Assert.NotEmpty(PlanChecks.CheckStep(Spec, waiting, waiting with { Waves = waiting.Waves.SetItem(0, passed) }));
        Assert.NotEmpty(PlanChecks.CheckStep(Spec, Started(Spec, 5, 5), waiting with { Waves = waiting.Waves.SetItem(0, forged) }));
    }

    private static (RolloutPlan Plan, RolloutReport Report) Waiting() =>
        Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 10, [Done, .. Next]);

    private static Decision<RolloutPlan> Approve(RolloutPlan plan, ApprovalOrder order) =>
        RolloutApprovals.ApproveWave(RolloutOf(Spec, plan), 0, order);
}
