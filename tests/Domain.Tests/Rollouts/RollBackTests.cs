using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>The way back as planner, orders and shares see it.</summary>
public sealed class RollBackTests
{
    private static readonly RolloutSpec Spec = RolloutBuilder.Spec(
        Wave(Amount.Count(5), 0), Wave(Amount.Count(5), 0), Wave(Amount.Percent(100))) with
    {
        FailureGate = new FailureGate(2, null, 1) { Action = FailureAction.RollBack },
    };

    [Theory]
    [InlineData(RolloutState.Draft, "-")]
    [InlineData(RolloutState.AwaitingApproval, "-")]
    [InlineData(RolloutState.Running, "RollingBack")]
    [InlineData(RolloutState.Paused, "RollingBack")]
    [InlineData(RolloutState.Suspended, "RollingBack")]
    [InlineData(RolloutState.Cancelling, "RollingBack")]
    [InlineData(RolloutState.Succeeded, "-")]
    [InlineData(RolloutState.Cancelled, "-")]
    [InlineData(RolloutState.Aborted, "-")]
    public void RollBack_InEveryState_TurnsRoundWhatIsLive(RolloutState state, string expected)
    {
        var plan = state is RolloutState.Draft or RolloutState.AwaitingApproval
            ? RolloutPlan.Draft with { State = state }
            : Started(Spec, 5, 5, 5) with { State = state };

        var decision = RollBackOrders.RollBack(RolloutOf(Spec, plan), 0, [], Order());

        Assert.Equal(expected, decision.Error is null ? decision.Next.State.ToString() : "-");
        Assert.Equal(decision.Error is null ? plan.Epoch + 1 : plan.Epoch, decision.Next.Epoch);
        Assert.Empty(decision.Error is not null
            ? []
            : PlanChecks.Check(decision.Next).AddRange(PlanChecks.CheckStep(Spec, plan, decision.Next)));
    }

    /// <summary>A floor that a step raises binds the devices that take it, as that of the image itself.</summary>
    [Theory]
    [InlineData("", "", true)]
    [InlineData("12.1", "", false)]
    [InlineData("", "12.1", false)]
    [InlineData("11.0", "12.1", false)]
    [InlineData("11.0", "12.0", true)]
    public void HasWayBack_KnowsTheFloorsOfTheStepsToo(string own, string steps, bool expected)
    {
        static RolloutImage Of(string version, string floor) => new(new OsTarget(new string('1', 64), version, 1, []), "active", [])
        {
            Conditions = new ImageConditions { SecurityFloor = floor },
        };
        StepImage Step(string digest, string floor) =>
            new(digest, "12.5", "active", [], new ImageConditions { SecurityFloor = floor });

        var hasWayBack = RollBackOrders.HasWayBack(Of("12.0.1", ""), Of("13.0", own), [Step("5", steps), Step("6", "")]);

        Assert.Equal(expected, hasWayBack);
        Assert.False(RollBackOrders.HasWayBack(null, Of("13.0", own), []));
    }

    [Fact]
    public void RollBack_Twice_ChangesNothing()
    {
        var turned = Turned(2);

        Assert.Empty(RollBackOrders.RollBack(RolloutOf(Spec, turned), 0, [], Order()).Events);
        var paused = RolloutLifecycle.Pause(turned, Order()).Next;
        Assert.Equal(RolloutErrors.WrongStateReason, RollBackOrders.RollBack(RolloutOf(Spec, paused), 0, [], Order()).Error?.Reason);
        Assert.Equal(RolloutState.RollingBack, RolloutLifecycle.Resume(paused, Spec, accept: false, Order()).Next.State);
        Assert.Equal(RolloutState.Cancelling, RolloutLifecycle.Cancel(turned, Order()).Next.State);
    }

    [Fact]
    public void Plan_WhenTheGateRollsBack_TurnsRoundAndGrantsNothingUntilEveryShareHas()
    {
        var plan = Granted(Started(Spec, 5, 5, 5), 5, 0, 0);

        var (turned, report) = Step(Spec, plan, 1, Totals(5, failed: 2, succeeded: 2, inProgress: 1), Totals(5), Totals(5));
        var (still, silent) = Step(Spec, turned, 2, Totals(5, failed: 2, succeeded: 2, inProgress: 1), Totals(5), Totals(5));

        Assert.Equal((RolloutState.RollingBack, plan.Epoch + 1), (turned.State, turned.Epoch));
        Assert.Contains(report.Facts, fact => fact is RolloutRollingBack { Wave: 0 });
        Assert.Equal([WaveState.Running, WaveState.Skipped, WaveState.Skipped], turned.Waves.Select(wave => wave.State));
        Assert.Equal((2, 2), (turned.Waves[0].Forward!.Totals.Failed, turned.Waves[0].Forward!.Totals.Succeeded));
        Assert.Equal(turned.Shares, still.Shares);
        Assert.Contains(WaitingOn.Reports, silent.Waves[0].WaitingOn);
        Assert.Empty(PlanChecks.CheckStep(Spec, plan, turned).AddRange(PlanChecks.Check(turned)));
    }

    [Fact]
    public void Plan_WhenTheGateRollsBackWithoutItsApproval_Suspends()
    {
        var plan = Granted(Started(Spec, 5, 5, 5), 5, 0, 0);
        var share = new ShareReport(0, 1, [Totals(5, failed: 2) with { GrantSeen = 5 }, Totals(5), Totals(5)]);

        var (next, _) = RolloutPlanner.Plan(new RolloutPlanInput(Id, Spec, plan, [share], Start) { MayRollBack = false });

        Assert.Equal((RolloutState.Suspended, null), (next.State, next.RollBack));
    }

    [Fact]
    public void Plan_OnTheWayBack_OpensWavesInReverseAndWaitsForNobodyWhoIsAway()
    {
        var (first, waits) = StepBack(Turned(2), 1, Totals(5), Totals(5) with { WaitingOffline = 2 }, Untouched(5));
        var (second, _) = StepBack(first, 2, Totals(5), Totals(5, succeeded: 3) with { WaitingOffline = 2 }, Untouched(5));
        var (waiting, _) = StepBack(second, 3, Totals(5, succeeded: 5), Totals(5, succeeded: 3) with { WaitingOffline = 2 }, Untouched(5));
        var (ended, report) = StepBack(waiting, 4, Totals(5, succeeded: 5), Totals(5, succeeded: 4, skipped: 1), Untouched(5));

        Assert.Equal([0L, 3, 0], first.Shares[0].Waves.Select(grant => grant.Granted - 5).Select(count => Math.Max(0, count)));
        Assert.Contains(WaitingOn.LaterWave, waits.Waves[0].WaitingOn);
        Assert.Equal([WaveState.Running, WaveState.Passed, WaveState.Skipped], second.Waves.Select(wave => wave.State));
        Assert.Equal(RolloutState.RollingBack, waiting.State);
        Assert.Equal((RolloutState.RolledBack, Start.AddSeconds(4)), (ended.State, ended.EndedAt!.Value));
        Assert.Contains(report.Facts, fact => fact is RolloutRolledBack { Succeeded: 9 });
        foreach (var (before, after) in new[] { (first, second), (second, waiting), (waiting, ended) })
        {
            Assert.Empty(PlanChecks.CheckStep(Spec, before, after).AddRange(PlanChecks.Check(after)));
        }
    }

    [Fact]
    public void Plan_OnTheWayBack_WaitsForNobodyWhoWentAwayWithTheOffer()
    {
        var mixed = Totals(5, succeeded: 3, inProgress: 2) with { InProgressAway = 1 };
        var gone = Totals(5, succeeded: 4, inProgress: 1) with { InProgressAway = 1 };

        var (held, _) = StepBack(Turned(2), 1, Totals(5), mixed, Untouched(5));
        var (passed, _) = StepBack(held, 2, Totals(5), gone, Untouched(5));
        var (waiting, _) = StepBack(passed, 3, Totals(5, succeeded: 5), gone, Untouched(5));
        var (ended, _) = StepBack(waiting, 4, Totals(5, succeeded: 5), Totals(5, succeeded: 5), Untouched(5));

        Assert.Equal([WaveState.Pending, WaveState.Running], held.Waves.Take(2).Select(wave => wave.State));
        Assert.Equal([WaveState.Running, WaveState.Passed], passed.Waves.Take(2).Select(wave => wave.State));
        Assert.Equal((RolloutState.RollingBack, 1), (waiting.State, OfferPermits.Busy(waiting)));
        Assert.Equal(RolloutState.RolledBack, ended.State);
    }

    [Fact]
    public void Plan_OnTheWayBack_WaitsForAFullGroupUnlessAllOfThoseInProgressAreAway()
    {
        var pair = Totals(5, succeeded: 3, inProgress: 1) with { WaitingGroupFull = 1 };

        var (held, _) = StepBack(Turned(2), 1, Totals(5), pair, Untouched(5));
        var (free, _) = StepBack(held, 2, Totals(5), Totals(5, succeeded: 4) with { WaitingGroupFull = 1 }, Untouched(5));
        var (away, _) = StepBack(held, 2, Totals(5), pair with { InProgressAway = 1 }, Untouched(5));

        Assert.Equal([WaveState.Pending, WaveState.Running], held.Waves.Take(2).Select(wave => wave.State));
        Assert.Equal([WaveState.Pending, WaveState.Running], free.Waves.Take(2).Select(wave => wave.State));
        Assert.Equal([WaveState.Running, WaveState.Passed], away.Waves.Take(2).Select(wave => wave.State));
    }

    [Theory]
    [InlineData(MemberReach.Offline, null, TimeoutPolicy.Fail, 1)] // whenever it returns: its timer is of days, or there is none
    [InlineData(MemberReach.Online, null, TimeoutPolicy.Wait, 0)]
    [InlineData(MemberReach.Offline, 59, TimeoutPolicy.Wait, 0)] // it may be in its reboot
    [InlineData(MemberReach.Offline, 60, TimeoutPolicy.Wait, 1)]
    public void Totals_OfATurnedShare_CountsWhoWentAwayWithTheOffer(
        MemberReach reach, int? deliveredMinutesAgo, TimeoutPolicy policy, int away)
    {
        var timers = Timers with { InProgressPolicy = policy, UndeliveredPolicy = policy };
        var deliveredAt = deliveredMinutesAgo is { } minutes ? Start.AddMinutes(-minutes) : (DateTimeOffset?)null;
        var there = ShareRules.Confirm(Taken(), 0, 0, new OpenOffer(0, 1, true, Start, deliveredAt), 0);

        var turned = RollBackRules.Begin(there, [1], Start);

        Assert.Equal((1, 0), Count(there));
        Assert.Equal((1, away), Count(turned));

        (int, int) Count(RolloutShare share)
        {
            var totals = ShareCount.Totals(share, [0], [reach], 1, timers, Start)[0];
            return (totals.InProgress, totals.InProgressAway);
        }
    }

    [Fact]
    public void Plan_WhenTheWayBackFailsToo_SuspendsAndGoesOnBack()
    {
        var (stopped, _) = StepBack(Turned(2), 1, Totals(5), Totals(5, failed: 2), Untouched(5));
        var resumed = RolloutLifecycle.Resume(stopped, Spec, accept: true, Order(reason: "seen")).Next;
        var (next, _) = StepBack(resumed, 2, Totals(5), Totals(5, failed: 2), Untouched(5));

        Assert.Equal((RolloutState.Suspended, WaveState.Suspended), (stopped.State, stopped.Waves[1].State));
        Assert.Equal((RolloutState.RollingBack, RolloutState.RollingBack), (resumed.State, next.State));
        Assert.Empty(PlanChecks.CheckStep(Spec, stopped, resumed).AddRange(PlanChecks.Check(resumed)));
    }

    [Fact]
    public void HaltForRevocation_OfARolloutOnItsWayBack_LetsItGoOn()
    {
        var refusal = FleetError.Of(ErrorKind.Precondition, "IMAGE_REVOKED", "The image was revoked.");

        Assert.Empty(RolloutLifecycle.HaltForRevocation(Turned(2), "digest", refusal, Order()).Events);
    }

    [Fact]
    public void Check_OfATurnThatNobodyOrdered_IsWrong()
    {
        var running = Started(Spec, 5, 5, 5);
        var turned = Turned(1) with { RollBack = new RollBackPlan(Start, 0, 0) };
        var suspending = Spec with { FailureGate = Spec.FailureGate with { Action = FailureAction.Suspend } };

        Assert.NotEmpty(PlanChecks.CheckStep(suspending, running, turned));
        Assert.NotEmpty(PlanChecks.CheckStep(Spec, running, turned with { Epoch = running.Epoch }));
        Assert.NotEmpty(PlanChecks.CheckStep(Spec, turned, turned with { RollBack = null }));
        Assert.NotEmpty(PlanChecks.Check(running with { State = RolloutState.RollingBack }));
        Assert.NotEmpty(PlanChecks.Check(turned with { State = RolloutState.Running }));
        Assert.NotEmpty(PlanChecks.Check(turned with { State = RolloutState.RolledBack }));
    }

    [Fact]
    public void Begin_OfAShare_LetsWhoWasTouchedWaitAndNobodyElse()
    {
        ImmutableArray<MemberStatus> members =
        [
            MemberStatus.Waiting, MemberStatus.Offered, MemberStatus.Succeeded, MemberStatus.Failed, MemberStatus.TimedOut,
            MemberStatus.TimedOut, MemberStatus.Rejected, MemberStatus.Skipped, MemberStatus.Skipped, MemberStatus.Skipped,
            MemberStatus.Removed, MemberStatus.Retrying, MemberStatus.Skipped,
        ];
        var share = ShareRules.Freeze(Guid.Empty, 0, members.Length) with
        {
            Members = members,
            Open = [new OpenOffer(1, 1, false, Start, null)],
            Retries = [new MemberRetry(9, 1, Start), new MemberRetry(11, 2, Start)],
            Ends =
            [
                new MemberEnd(5, MemberReason.OfferUndelivered, Start, IsGivenUp: true),
                new MemberEnd(7, MemberReason.ModelNotCompatible, Start, IsGivenUp: false),
                new MemberEnd(8, MemberReason.ChangeTimedOut, Start, IsGivenUp: false),
                new MemberEnd(9, MemberReason.AlreadyRunningTarget, Start, IsGivenUp: false),
                new MemberEnd(12, MemberReason.StepRevoked, Start, IsGivenUp: false), // it may have it all the same
            ],
        };

        var turned = RollBackRules.Begin(share, [5, 3], Start);

        Assert.Equal(
            [
                MemberStatus.Untouched, MemberStatus.Offered, MemberStatus.Waiting, MemberStatus.Waiting, MemberStatus.Waiting,
                MemberStatus.Offered, MemberStatus.Waiting, MemberStatus.Untouched, MemberStatus.Waiting, MemberStatus.Waiting,
                MemberStatus.Removed, MemberStatus.Waiting, MemberStatus.Waiting,
            ],
            turned.Members);
        Assert.Equal([1, 5], turned.Open.Select(offer => offer.Member)); // who was given up is asked what became of it
        Assert.Equal([0, WayBack.FirstRetry], new[] { 1, 2 }.Select(member => ShareRules.RetryOf(turned, member)));
        Assert.Same(turned, RollBackRules.Begin(turned, [9], Start));
        Assert.Equal([5L, 3], turned.Permits.Select(permits => permits.Seen)); // what was on its way has lapsed
    }

    [Fact]
    public void MayLose_OfAMemberThatWasGivenUpBefore_AsLongAfterTheTurnAsAChangeMayTake()
    {
        var given = ShareRules.Lose(Taken(), 0, TimeoutPolicy.Fail, Start);
        var turned = RollBackRules.Begin(given, [1], Start);
        var offer = Assert.Single(turned.Open);

        var lost = ShareRules.Lose(turned, 0, TimeoutPolicy.Fail, Start.AddHours(1));
        var found = ShareRules.Confirm(lost, 0, 0, new OpenOffer(0, 1, true, Start, null), 0);

        Assert.False(RollBackRules.MayLose(turned, offer, Timers, Start.AddMinutes(59)));
        Assert.True(RollBackRules.MayLose(turned, offer, Timers, Start.AddMinutes(60)));
        Assert.Equal((MemberStatus.TimedOut, 0), (lost.Members[0], lost.Open.Length));
        Assert.Equal(MemberStatus.Offered, found.Members[0]); // the feed knows better at last
    }

    [Theory]
    [InlineData(true, 0, false, false)] // of the way there, and its time is not over
    [InlineData(true, 7, false, true)]
    [InlineData(true, 7, true, true)]
    [InlineData(false, 7, false, true)]
    [InlineData(false, 7, true, false)] // an offer of the way back is known, and its device will say
    public void MayLose_OfAnOpenOffer_AfterItsTime(bool isOnTheWayThere, int days, bool isConfirmed, bool expected)
    {
        var there = Taken() with { Open = [new OpenOffer(0, 1, isConfirmed, Start, null)] };
        var share = isOnTheWayThere
            ? RollBackRules.Begin(there, [1], Start)
            : there with { FirstRetry = WayBack.FirstRetry };

        Assert.Equal(expected, RollBackRules.MayLose(share, share.Open[0], Timers, Start.AddDays(days) + OfferAsks.SilenceMax));
    }

    [Theory]
    [InlineData(ChangeOutcome.Succeeded, true, MemberStatus.Waiting)]
    [InlineData(ChangeOutcome.Failed, true, MemberStatus.Waiting)]
    [InlineData(ChangeOutcome.Withdrawn, true, MemberStatus.Waiting)]
    [InlineData(ChangeOutcome.Withdrawn, false, MemberStatus.Untouched)]
    [InlineData(ChangeOutcome.Skipped, false, MemberStatus.Untouched)]
    [InlineData(ChangeOutcome.Removed, true, MemberStatus.Removed)]
    public void Close_OfTheWayThere_MakesTheMemberReadyForTheWayBack(ChangeOutcome outcome, bool wasMade, MemberStatus status)
    {
        var turned = RollBackRules.Begin(Taken(), [1], Start);

        var closed = ShareRules.Close(turned, 0, 0, new MemberOutcome(outcome, 0, "", Start) { WasMade = wasMade });
        var late = ShareRules.Close(closed, 0, 0, new MemberOutcome(ChangeOutcome.Failed, 0, "", Start) { WasMade = true });

        Assert.Equal((status, WayBack.FirstRetry), (closed.Members[0], ShareRules.RetryOf(closed, 0)));
        Assert.Equal(wasMade ? 1L : 0L, closed.Permits[0].Offered);
        Assert.Empty(closed.Open);
        Assert.Equal(closed, late);
    }

    [Fact]
    public void Release_OfAnOfferOfTheWayThereThatNeverWas_LeavesTheMemberUntouchedUntilAFactSaysOtherwise()
    {
        var released = ShareRules.Release(RollBackRules.Begin(Taken(), [1], Start), 0);
        var found = ShareRules.Confirm(released, 0, 0, new OpenOffer(0, 1, true, Start, null), 0);

        Assert.Equal(MemberStatus.Untouched, released.Members[0]);
        Assert.Equal((MemberStatus.Offered, 0), (found.Members[0], ShareRules.RetryOf(found, 0)));
    }

    [Fact]
    public void NextAfter_OnTheWayBack_CountsFromItsFirstAttempt()
    {
        var twice = new RetryPolicy(2, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        var failed = new MemberOutcome(ChangeOutcome.Failed, WayBack.FirstRetry, "flash", Start);

        Assert.NotNull(twice.NextAfter(failed, 1));
        Assert.Null(twice.NextAfter(failed with { Retry = WayBack.FirstRetry + 1 }, 1));
    }

    [Fact]
    public void Explain_AWaveOnItsWayBack_SaysWhoOrderedItAndWhatGoesBeforeIt()
    {
        var explained = WaveExplanation.Of(
            RolloutOf(Spec, Turned(2)), [new WaveReport([WaitingOn.LaterWave]), new WaveReport([])], 0, 0)!;

        Assert.Null(explained.Success);
        Assert.Contains(explained.Why, decision => decision.Reason == PlanReasons.RollingBack);
        Assert.Equal("wave 1 is Running, and goes back before it", Assert.Single(explained.Waits).Text);
    }

    /// <summary>What comes behind the halt is not simulated: who was touched by then is what counts.</summary>
    [Fact]
    public void Run_OfASpecThatRollsBack_HaltsWhereTheSameSpecSuspends()
    {
        var spec = Spec with { FailureGate = new FailureGate(null, 20, 5) { Action = FailureAction.RollBack } };
        var suspending = spec with { FailureGate = spec.FailureGate with { Action = FailureAction.Suspend } };

        var (back, halted) = (Simulate(spec), Simulate(suspending));

        Assert.Equal(100, back.PercentOf(SimulationEnd.Halted));
        Assert.Equal(halted.Runs.Select(run => run.Touched), back.Runs.Select(run => run.Touched));
    }

    private static SimulationResult Simulate(RolloutSpec spec) => RolloutSimulation.Run(
        spec, new SimulatedFleet(100, 100), new SimulationAssumptions(), 90, runs: 3, seed: 7, TestContext.Current.CancellationToken);

    [Fact]
    public void Top_OfMoreImagesThanAreLookedUp_CountsTheRestAsUnknown()
    {
        var counts = Enumerable.Range(0, 100).Select(i => new ImageCount($"{i:x64}", i + 1)).ToImmutableArray();

        var top = ImageCount.Top([.. counts, new ImageCount(counts[0].Digest, 1_000)]);

        Assert.Equal((ImageCount.ImagesMax, 1_001), (top.Length, top[0].Devices));
        Assert.Equal((counts.Sum(count => count.Devices) + 1_000, ""), (top.Sum(count => count.Devices), top[^1].Digest));
    }

    private static RolloutShare Taken() => ShareRules.TakePermits(
        ShareRules.Freeze(Guid.Empty, 0, 1), new PermitGrant([1], 1, IsOffering: true, Start), [0], new MemberReach[1]);

    /// <summary>A rollout that is rolled back when so many waves had started, each with five offers.</summary>
    private static RolloutPlan Turned(int waves)
    {
        var plan = Started(Spec, 5, 5, 5);
        plan = Granted(plan, [.. Enumerable.Range(0, 3).Select(wave => wave < waves ? 5L : 0)]) with
        {
            Waves = [.. plan.Waves.Select((wave, i) => i >= waves ? wave : wave with
            {
                State = i < waves - 1 ? WaveState.Passed : WaveState.Running,
                StartedAt = Start,
                PassedAt = i < waves - 1 ? Start : null,
            })],
        };
        return RollBackOrders.RollBack(RolloutOf(Spec, plan), 0, [], Order()).Next;
    }

    private static ShareTotals Untouched(int members) => new() { Members = members, Untouched = members };

    private static (RolloutPlan Next, RolloutReport Report) StepBack(
        RolloutPlan plan, int seconds, params ImmutableArray<ShareTotals> waves)
    {
        ImmutableArray<ShareTotals> settled =
            [.. waves.Select((totals, i) => totals with { GrantSeen = plan.Shares[0].Waves[i].Granted })];
        var report = new ShareReport(0, plan.Shares[0].ReportVersion + 1, settled) { IsRollingBack = true };
        return RolloutPlanner.Plan(new RolloutPlanInput(Id, Spec, plan, [report], Start.AddSeconds(seconds)));
    }
}
