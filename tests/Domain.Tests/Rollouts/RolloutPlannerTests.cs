using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class RolloutPlannerTests
{
    private static readonly RolloutSpec TwoWaves = Spec(Wave(Amount.Count(5), 100), Wave(Amount.Percent(100), 100));

    [Fact]
    public void Plan_WhenAPartitionIsSilent_GrantsNothingAndSaysSo()
    {
        var plan = Started(TwoWaves, 5, 5);

        var (next, report) = RolloutPlanner.Plan(new RolloutPlanInput(Id, TwoWaves, plan, [], Start));

        Assert.Equal(0, OfferPermits.Outstanding(next));
        Assert.Equal([WaitingOn.Reports], report.Waves[0].WaitingOn);
    }

    [Fact]
    public void Plan_ForTheRunningWave_GrantsOnlyItsReachableMembers()
    {
        var plan = Started(TwoWaves, 5, 5);

        var (next, report) = Step(TwoWaves, plan, 1, Totals(5) with { WaitingOffline = 2 }, Totals(5));

        Assert.Equal([3, 0], next.Shares[0].Waves.Select(grant => grant.Granted));
        Assert.Contains(WaitingOn.Offline, report.Waves[0].WaitingOn);
        Assert.Equal([WaitingOn.EarlierWave], report.Waves[1].WaitingOn);
    }

    [Fact]
    public void Plan_WithTheSameReportAgain_GrantsNothingMore()
    {
        var plan = Started(TwoWaves, 5, 5);
        ImmutableArray<ShareReport> reports = [new(0, 1, [Totals(5), Totals(5)])];

        var once = RolloutPlanner.Plan(new RolloutPlanInput(Id, TwoWaves, plan, reports, Start)).Next;
        var (twice, report) = RolloutPlanner.Plan(new RolloutPlanInput(Id, TwoWaves, once, reports, Start.AddSeconds(1)));

        Assert.Equal(5, once.Shares[0].Waves[0].Granted);
        Assert.Equal(5, twice.Shares[0].Waves[0].Granted);
        Assert.Empty(report.Facts);
    }

    [Fact]
    public void Plan_WhenHawkBitsGroupFinishes_StartsTheNextWave()
    {
        var spec = TwoWaves with { FailureGate = new FailureGate(null, 10, 1) };
        var plan = Granted(Started(spec, 5, 5), 5, 0);

        var (next, report) = Step(spec, plan, 1, Totals(5, succeeded: 4, skipped: 1), Totals(5));

        Assert.Equal([WaveState.Passed, WaveState.Running], next.Waves.Select(wave => wave.State));
        Assert.Contains(report.Facts, fact => fact is WavePassed { Wave: 0 });
    }

    [Fact]
    public void Plan_WhenHawkBitsGroupErrs_Suspends()
    {
        var spec = TwoWaves with { FailureGate = new FailureGate(null, 23, 1) };
        var plan = Granted(Started(spec, 5, 5), 5, 0);

        var (next, _) = Step(spec, plan, 1, Totals(5, succeeded: 3, failed: 1, removed: 1), Totals(5));

        Assert.Equal(RolloutState.Suspended, next.State);
        Assert.Equal(PlanReasons.FailureGate, next.Decisions[^1].Reason);
        Assert.Equal(WaveState.Pending, next.Waves[1].State);
    }

    [Fact]
    public void Plan_BelowTheSuccessGate_SuspendsAndNeverAdvances()
    {
        var plan = Granted(Started(TwoWaves, 5, 5), 5, 0);

        var (next, report) = Step(TwoWaves, plan, 1, Totals(5, succeeded: 4, failed: 1), Totals(5));

        Assert.Equal(RolloutState.Suspended, next.State);
        Assert.Equal(PlanReasons.BelowSuccessGate, next.Decisions[^1].Reason);
        Assert.Equal(plan.Epoch + 1, next.Epoch); // permits on their way are void
        Assert.Equal(0, OfferPermits.Outstanding(next));
        Assert.Contains(WaitingOn.Resume, report.Waves[0].WaitingOn);
    }

    [Fact]
    public void Plan_WhenAllMembersWereSkipped_SuspendsForLackOfEvidence()
    {
        var (next, _) = Step(TwoWaves, Started(TwoWaves, 5, 5), 1, Totals(5, skipped: 5), Totals(5));

        Assert.Equal((RolloutState.Suspended, PlanReasons.NoEvidence), (next.State, next.Decisions[^1].Reason));
    }

    [Fact]
    public void Plan_WithSoak_WaitsLooksAgainAndThenGoesOn()
    {
        var spec = Spec(Wave(Amount.Count(5), 80, soakSeconds: 30), Wave(Amount.Percent(100)));
        var done = Totals(5, succeeded: 4, failed: 1);

        var (soaking, report) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 10, done, Totals(5));
        var (still, _) = Step(spec, soaking, 39, done, Totals(5));
        var (passed, _) = Step(spec, still, 40, done, Totals(5));

        Assert.Equal(WaveState.Soaking, soaking.Waves[0].State);
        Assert.Equal(Start.AddSeconds(40), report.NextLookAt);
        Assert.Equal(WaveState.Soaking, still.Waves[0].State);
        Assert.Equal(WaveState.Running, passed.Waves[1].State);
    }

    [Fact]
    public void Plan_WhenOutcomesAreTakenBackDuringTheSoak_StopsSoaking()
    {
        var spec = Spec(Wave(Amount.Count(5), 80, soakSeconds: 30), Wave(Amount.Percent(100)));
        var (soaking, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 10, Totals(5, succeeded: 4, failed: 1), Totals(5));

        var (reopened, _) = Step(spec, soaking, 20, Totals(5, succeeded: 3, failed: 1, inProgress: 1), Totals(5));
        var (below, _) = Step(spec, soaking, 20, Totals(5, succeeded: 3, failed: 2), Totals(5));

        Assert.Equal(WaveState.Running, reopened.Waves[0].State);
        Assert.Equal(RolloutState.Suspended, below.State);
    }

    [Fact]
    public void Plan_WhenADeviceOfAPassedWaveFailsLate_CountsItAndSuspends()
    {
        var spec = TwoWaves with { FailureGate = new FailureGate(1, null, 1) };
        var (second, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, Totals(5, succeeded: 5), Totals(5));

        var (next, report) = Step(spec, second, 2, Totals(5, succeeded: 4, failed: 1), Totals(5, inProgress: 5) with { Offered = 5 });

        Assert.Equal(RolloutState.Suspended, next.State);
        Assert.Contains(report.Facts, fact => fact is RolloutSuspended { Wave: 0, Reason: PlanReasons.FailureGate });
    }

    /// <summary>A gate that was passed stays passed; who left counts neither as a success nor as a failure in what follows.</summary>
    [Fact]
    public void Plan_WhenTheDevicesOfAPassedWaveLeaveService_GoesOn()
    {
        var spec = TwoWaves;
        var (second, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, Totals(5, succeeded: 5), Totals(5));

        var (next, _) = Step(spec, second, 2, Totals(5) with { Waiting = 0, Removed = 5 }, Totals(5));

        Assert.Equal((WaveState.Passed, WaveState.Running), (next.Waves[0].State, next.Waves[1].State));
        Assert.Equal(RolloutState.Running, next.State);
        Assert.Equal((5, 0), (next.Waves[0].Totals.Removed, next.Waves[0].Totals.Finished));
    }

    /// <summary>
    /// Before it has passed, the remaining decide: those that failed and left do not hold it up, nor do lost successes help.
    /// </summary>
    [Theory]
    [InlineData(4, 0, 1, true)]
    [InlineData(0, 0, 5, true)]
    [InlineData(1, 3, 1, false)]
    public void Plan_WhenMembersLeaveService_JudgesTheRemaining(int succeeded, int failed, int removed, bool passes)
    {
        var spec = TwoWaves with { FailureGate = new FailureGate(5, null, 1) };

        var (next, _) = Step(
            spec, Granted(Started(spec, 5, 5), 5, 0), 1, Totals(5, succeeded: succeeded, failed: failed) with
            {
                Waiting = 5 - succeeded - failed - removed,
                Removed = removed,
            },
            Totals(5));

        Assert.Equal(passes, next.Waves[0].State == WaveState.Passed);
    }

    [Fact]
    public void Plan_WithoutSoakWhenTheOutcomeIsCertain_DoesNotWaitForTheRest()
    {
        var spec = Spec(Wave(Amount.Count(5), 80), Wave(Amount.Percent(100)));

        var (next, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, Totals(5, succeeded: 4, inProgress: 1), Totals(5));

        Assert.Equal(WaveState.Running, next.Waves[1].State);
    }

    [Fact]
    public void Plan_WithMembersLeftInAPassedWave_DoesNotSucceedBeforeTheyEnd()
    {
        var spec = Spec(Wave(Amount.Percent(100), 80));
        var (passed, _) = Step(spec, Granted(Started(spec, 5), 4), 1, Totals(5, succeeded: 4) with { WaitingOffline = 1 });

        var (offered, _) = Step(spec, passed, 2, Totals(5, succeeded: 4));
        var (ended, _) = Step(spec, offered, 3, Totals(5, succeeded: 5));

        Assert.Equal((WaveState.Passed, RolloutState.Running), (passed.Waves[0].State, passed.State));
        Assert.Equal(5, offered.Shares[0].Waves[0].Granted);
        Assert.Equal(RolloutState.Succeeded, ended.State);
    }

    [Theory]
    [InlineData(3, 0, 3)]
    [InlineData(3, 2, 1)]
    [InlineData(3, 3, 0)]
    [InlineData(1, 0, 1)]
    public void Plan_WithABudgetCount_KeepsThatManyInProgress(int limit, int inProgress, int expected)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { MaxUnavailable = Amount.Count(limit) };
        var plan = Granted(Started(spec, 10), inProgress);

        var (next, report) = Step(spec, plan, 1, Totals(10, inProgress: inProgress));

        Assert.Equal(expected, OfferPermits.Outstanding(next));
        Assert.Contains(WaitingOn.Budget, report.Waves[0].WaitingOn);
    }

    [Theory]
    [InlineData(10, 25, 2)] // rounded down
    [InlineData(10, 5, 1)] // always room for one
    public void UnavailableMax_WithAPercentage_IsRoundedDownAndNeverZero(int members, int percent, long expected) =>
        Assert.Equal(expected, OfferPermits.UnavailableMax(Amount.Percent(percent), members));

    [Fact]
    public void Plan_WithARate_NeverOffersMoreInAnySixtySecondsAndSavesNothingUp()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { DevicesPerMinute = 4 };
        var plan = Started(spec, 20);

        var (first, _) = Step(spec, plan, 300, Totals(20)); // five idle minutes give no more than one
        var (spent, report) = Step(spec, first, 301, Totals(20, succeeded: 4));
        var (early, _) = Step(spec, spent, 360, Totals(20, succeeded: 4));
        var (again, _) = Step(spec, early, 361, Totals(20, succeeded: 4));

        Assert.Equal([4, 4, 4, 8], new[] { first, spent, early, again }.Select(one => one.Shares[0].Waves[0].Granted));
        Assert.Contains(WaitingOn.Rate, report.Waves[0].WaitingOn);
        Assert.Equal(Start.AddSeconds(361), report.NextLookAt);
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(999, 50)]
    [InlineData(1000, 100)]
    [InlineData(1999, 100)]
    [InlineData(2000, 200)]
    [InlineData(3000, 400)]
    [InlineData(3999, 400)]
    [InlineData(4000, 500)] // the most that the rollout allows
    [InlineData(10_000_000, 500)]
    public void Rate_OfThePublishedTable_DoublesAfterEachThousandDevices(long offered, int expected)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with
        {
            DevicesPerMinute = 50,
            RateGrowth = new RateGrowth(20, RateStep.Offered, 1_000, 500),
        };

        Assert.Equal(expected, OfferPermits.Rate(spec, Granted(Started(spec, 20_000), offered)));
    }

    [Fact]
    public void Rate_WithAFactorBelowTwo_IsRoundedDown() =>
        Assert.Equal([10, 11, 12, 13, 14, 16], Enumerable.Range(0, 6).Select(steps =>
            new RateGrowth(11, RateStep.Succeeded, 7, 1_000).After(10, (steps * 7) + 6)));

    [Fact]
    public void Plan_WithAGrowingRate_OffersByTheStepThatWasReached()
    {
        var spec = Spec(Wave(Amount.Percent(100), 50)) with
        {
            DevicesPerMinute = 4,
            RateGrowth = new RateGrowth(30, RateStep.Succeeded, 4, 100),
        };

        var (first, _) = Step(spec, Started(spec, 60), 0, Totals(60));
        var (offered, _) = Step(spec, first, 1, Totals(60, inProgress: 4));
        var (grown, _) = Step(spec, offered, 2, Totals(60, succeeded: 4));
        var (fallen, report) = Step(spec, grown, 3, Totals(60, succeeded: 3, failed: 1, inProgress: 8));
        var (later, _) = Step(spec, fallen, 70, Totals(60, succeeded: 3, failed: 1, inProgress: 8));

        // 3 x 4 a minute, 4 of which were used; then one success is taken back, and nothing is granted beyond 4 a minute.
        Assert.Equal([4, 4, 12, 12, 16], new[] { first, offered, grown, fallen, later }.Select(one => one.Shares[0].Waves[0].Granted));
        Assert.Contains(WaitingOn.Rate, report.Waves[0].WaitingOn);
        Assert.Empty(PlanChecks.CheckStep(spec, grown, fallen));
        var beyond = grown with { Shares = [grown.Shares[0] with { Waves = [new WaveGrant(40, 4, 4)] }] };
        Assert.NotEmpty(PlanChecks.CheckStep(spec, grown, beyond));
    }

    [Fact]
    public void Plan_WhenPermitsLapse_GivesThemToTheRateAgain()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { DevicesPerMinute = 4 };
        var (first, _) = Step(spec, Started(spec, 20), 0, Totals(20));

        var (next, _) = Step(spec, first, 1, Totals(20, inProgress: 1));

        Assert.Equal(7, next.Shares[0].Waves[0].Granted);
    }

    [Fact]
    public void Plan_WhilePaused_GrantsNothingAndResumeEvaluatesTheGatesFirst()
    {
        var paused = RolloutLifecycle.Pause(Granted(Started(TwoWaves, 5, 5), 5, 0), Order()).Next;
        var failing = Totals(5, succeeded: 4, failed: 1);

        var (still, report) = Step(TwoWaves, paused, 1, failing, Totals(5));
        var resumed = RolloutLifecycle.Resume(still, TwoWaves, accept: false, Order()).Next;
        var (gated, _) = Step(TwoWaves, resumed, 2, failing, Totals(5));

        Assert.Equal(RolloutState.Paused, still.State);
        Assert.Contains(WaitingOn.Resume, report.Waves[0].WaitingOn);
        Assert.Equal((RolloutState.Suspended, 0L), (gated.State, OfferPermits.Outstanding(gated)));
    }

    [Fact]
    public void Plan_AfterAnOverride_GoesOnAndCountsNewFailuresOnly()
    {
        var spec = TwoWaves with { FailureGate = new FailureGate(1, null, 1) };
        var (suspended, _) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, Totals(5, succeeded: 4, failed: 1), Totals(5));
        var resumed = RolloutLifecycle.Resume(suspended, spec, accept: true, Order(reason: "known defect of unit 7")).Next;

        var (going, _) = Step(spec, resumed, 2, Totals(5, succeeded: 4, failed: 1), Totals(5));
        var (again, _) = Step(spec, going, 3, Totals(5, succeeded: 3, failed: 2), Totals(5, inProgress: 5));

        Assert.Equal(WaveState.Running, going.Waves[1].State);
        Assert.Contains(going.Decisions, decision => decision.Reason == PlanReasons.WaveOverridden);
        Assert.Equal(RolloutState.Suspended, again.State);
    }

    [Fact]
    public void Plan_AfterACancel_EndsWhenNoDeviceIsInProgress()
    {
        var cancelling = RolloutLifecycle.Cancel(Granted(Started(TwoWaves, 5, 5), 2, 0), Order()).Next;

        var (waiting, _) = Step(TwoWaves, cancelling, 1, Totals(5, inProgress: 2), Totals(5));
        var (ended, _) = Step(TwoWaves, waiting, 2, Totals(5, succeeded: 1, failed: 1), Totals(5));

        Assert.Equal([RolloutState.Cancelling, RolloutState.Cancelled], [waiting.State, ended.State]);
    }

    [Fact]
    public void Split_WithLittleRoom_RotatesAndNeverExceedsAWant()
    {
        Assert.Equal([0, 1, 1], OfferGrants.Split([5, 5, 5], 2, 1));
        Assert.Equal([1, 4, 5], OfferGrants.Split([1, 9, 9], 10, 1).Order());
        Assert.Equal([2, 0, 1], OfferGrants.Split([2, 0, 1], 100, 2));
    }
}
