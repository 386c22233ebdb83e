using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Why a wave started and what it waits for: the planner's words, with the plan's numbers.</summary>
public sealed class WaveExplanationTests
{
    private static readonly RolloutSpec Spec = RolloutBuilder.Spec(
        Wave(Amount.Count(5), 80, soakSeconds: 30) with { NeedsApproval = true }, Wave(Amount.Percent(100), 90, minSucceeded: 3)) with
    {
        FailureGate = new FailureGate(2, null, 1),
    };

    [Fact]
    public void Of_ADraft_WaitsForApprovalsAndThenForAStart()
    {
        var draft = RolloutOf(Spec with { ApprovalsRequired = 2 }, RolloutPlan.Draft);

        var missing = WaveExplanation.Of(RolloutApprovals.Settle(draft, 0), [], 1, 2);
        var approved = WaveExplanation.Of(draft, [], 0, 0);

        Assert.Equal(new WaveWait(WaitingOn.Approval, 2, null, "0 of 2 approvals are given"), Assert.Single(missing!.Waits));
        Assert.Equal(WaitingOn.Start, Assert.Single(approved!.Waits).On);
        Assert.Null(WaveExplanation.Of(draft, [], 2, 0));
    }

    [Fact]
    public void Of_AWaveBehindAnother_NamesThatAndNothingElse()
    {
        var (plan, report) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 1, Totals(5, inProgress: 5), Totals(5));

        var first = Explain(plan, report, 0);
        var second = Explain(plan, report, 1);

        Assert.Equal(new WaveWait(WaitingOn.Outcomes, 5, null, "5 devices in progress have no outcome yet"), Assert.Single(first.Waits));
        Assert.Equal([PlanReasons.Started, PlanReasons.WaveStarted], first.Why.Select(decision => decision.Reason));
        Assert.Equal(new WaveWait(WaitingOn.EarlierWave, 1, null, "wave 0 is Running"), Assert.Single(second.Waits));
        Assert.Empty(second.Why);
    }

    [Fact]
    public void Of_AWaveThatStarted_TellsTheApprovalAndTheGateBeforeIt()
    {
        var done = Totals(5, succeeded: 4, failed: 1);
        var (soaking, soak) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 10, done, Totals(5));
        var (waiting, wait) = Step(Spec, soaking, 40, done, Totals(5));
        var approved = RolloutApprovals.ApproveWave(RolloutOf(Spec, waiting), 0, Approval(waiting.ApprovalEtag(0))).Next;
        var (running, report) = Step(Spec, approved, 50, done, Totals(5) with { WaitingOffline = 2, WaitingBusy = 1 });

        var soaks = Assert.Single(Explain(soaking, soak, 0).Waits);
        Assert.Equal((WaitingOn.Soak, Start.AddSeconds(40)), (soaks.On, soaks.Until));
        Assert.Contains("since 2026-03-01 08:00:40Z", Assert.Single(Explain(waiting, wait, 0).Waits).Text, StringComparison.Ordinal);
        var explanation = Explain(running, report, 1);
        Assert.Equal(
            [PlanReasons.WaveApproved, PlanReasons.WavePassed, PlanReasons.WaveStarted],
            explanation.Why.Select(decision => decision.Reason));
        Assert.Equal([(WaitingOn.Offline, 2L), (WaitingOn.Busy, 1L)], explanation.Waits.Select(one => (one.On, one.Count)));
        Assert.Equal(new SuccessReading(GateVerdict.Undecided, 0, 5, 90, 3, 5), explanation.Success);
    }

    [Fact]
    public void Of_AWaveThatIsHeldByPace_TellsBudgetAndRate()
    {
        var spec = Spec with { DevicesPerMinute = 3, MaxUnavailable = Amount.Count(2) };
        var (granted, _) = Step(spec, Started(spec, 5, 5), 1, Totals(5), Totals(5));
        var offered = Totals(5, inProgress: 2) with { Offered = 2 };
        var (held, report) = Step(spec, granted, 2, offered, Totals(5));
        var (slow, later) = Step(spec, Step(spec, held, 3, Totals(5, succeeded: 2), Totals(5)).Next, 4,
            Totals(5, succeeded: 2, inProgress: 1), Totals(5));

        var budget = WaveExplanation.Of(RolloutOf(spec, held), report.Waves, 0, 0)!.Waits.Single(wait => wait.On == WaitingOn.Budget);
        var rate = WaveExplanation.Of(RolloutOf(spec, slow), later.Waves, 0, 0)!.Waits.Single(wait => wait.On == WaitingOn.Rate);

        Assert.Equal((2L, "2 devices are in progress or about to be, and the budget is 2"), (budget.Count, budget.Text));
        Assert.Equal((3L, "3 offers in the last 60 s, and the rate is 3"), (rate.Count, rate.Text));
        Assert.Equal(Start.AddSeconds(62), rate.Until);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(2, "2 devices in progress have no outcome yet")]
    public void Of_AWaveThatMayNotInstall_SaysWhenItsWindowOpensAndWhomElseItWaitsFor(int installing, string others)
    {
        OfferWindow night = new("0 22 * * *", TimeSpan.FromHours(4), "UTC"), morning = new("0 9 * * *", TimeSpan.FromHours(1), "UTC");
        var spec = Spec with { InstallWindows = [night, morning] };
        var totals = Totals(5, inProgress: 5) with { Installing = installing, AwaitingInstall = 5 - installing };
        var (plan, report) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, totals, Totals(5));

        var waits = WaveExplanation.Of(RolloutOf(spec, plan), report.Waves, 0, 0)!.Waits;

        var text = $"{5 - installing} devices in progress wait for their install window; the next one opens at 2026-03-01 09:00:00Z";
        Assert.Equal(new WaveWait(WaitingOn.InstallWindow, 5 - installing, Start.AddHours(1), text), waits[0]);
        Assert.Equal(others, string.Join('\n', waits.Skip(1).Select(wait => wait.Text)));
        Assert.All(waits.Skip(1), wait => Assert.Equal((WaitingOn.Outcomes, installing), (wait.On, (int)wait.Count)));
    }

    /// <summary>Nobody has told them of it, or their share is of an earlier version: their window is not what is waited for.</summary>
    [Fact]
    public void Of_AWaveWhoseOffersAreNotDelivered_TellsOutcomes()
    {
        var spec = Spec with { InstallWindows = [new("0 9 * * *", TimeSpan.FromHours(1), "UTC")] };
        var totals = Totals(5, inProgress: 5) with { AwaitingInstall = 2 };
        var (plan, report) = Step(spec, Granted(Started(spec, 5, 5), 5, 0), 1, totals, Totals(5));

        var waits = WaveExplanation.Of(RolloutOf(spec, plan), report.Waves, 0, 0)!.Waits;

        Assert.Equal([(WaitingOn.InstallWindow, 2L), (WaitingOn.Outcomes, 3L)], waits.Select(wait => (wait.On, wait.Count)));
    }

    /// <summary>All install, or all may, or they are asked to give it up: then nobody waits for a window.</summary>
    [Theory]
    [InlineData(5, 1, false)]
    [InlineData(0, 3_600, false)]
    [InlineData(0, 1, true)]
    public void Of_AWaveWithInstallWindowsThatNobodyWaitsFor_TellsOutcomes(int installing, int seconds, bool cancelled)
    {
        var spec = Spec with { InstallWindows = [new("0 9 * * *", TimeSpan.FromHours(1), "UTC")] };
        var totals = Totals(5, inProgress: 5) with { Installing = installing, AwaitingInstall = 5 - installing };
        var started = Granted(Started(spec, 5, 5), 5, 0);
        var (plan, report) = Step(
            spec, cancelled ? RolloutLifecycle.Cancel(started, Order()).Next : started, seconds, totals, Totals(5));

        var wait = Assert.Single(WaveExplanation.Of(RolloutOf(spec, plan), report.Waves, 0, 0)!.Waits);

        Assert.Equal(new WaveWait(WaitingOn.Outcomes, 5, null, "5 devices in progress have no outcome yet"), wait);
    }

    [Fact]
    public void Of_ASuspendedWave_NamesTheGateWithItsNumbers()
    {
        var failing = Totals(5, succeeded: 1, failed: 2, inProgress: 2);
        var (suspended, report) = Step(Spec, Granted(Started(Spec, 5, 5), 5, 0), 10, failing, Totals(5));
        var resumed = RolloutLifecycle.Resume(suspended, Spec, accept: true, Order(reason: "seen")).Next;

        var explanation = Explain(suspended, report, 0);

        Assert.Equal("the rollout is Suspended: Wave 0: 2 of 3 finished devices failed.", explanation.Waits[0].Text);
        Assert.Equal(new FailureReading(true, 2, 3, 0), explanation.Failures);
        Assert.Equal(new FailureReading(false, 0, 0, 2), Explain(resumed, report, 0).Failures);
    }

    [Fact]
    public void Of_ARolloutThatIsNotPlannedYet_WaitsForReports()
    {
        var running = Started(Spec, 5, 5);

        Assert.Equal(WaitingOn.Reports, Assert.Single(WaveExplanation.Of(RolloutOf(Spec, running), [], 0, 0)!.Waits).On);
        Assert.Empty(WaveExplanation.Of(RolloutOf(Spec, running with { State = RolloutState.Cancelled }), default, 0, 0)!.Waits);
        Assert.Null(WaveExplanation.Of(RolloutOf(Spec, running), [], -1, 0));
        Assert.Null(WaveExplanation.Of(RolloutOf(Spec, running), [], 2, 0));
    }

    [Fact]
    public void Of_ALogThatIsCut_SaysSo()
    {
        var plan = Started(Spec, 5, 5);
        ImmutableArray<PlanDecision> full = [.. Enumerable.Repeat(plan.Decisions[^1], RolloutLimits.DecisionsMax)];

        Assert.False(WaveExplanation.Of(RolloutOf(Spec, plan), [], 0, 0)!.IsLogCut);
        Assert.True(WaveExplanation.Of(RolloutOf(Spec, plan with { Decisions = full }), [], 0, 0)!.IsLogCut);
    }

    [Fact]
    public void Of_WhateverThePlannerReports_IsAText() => Assert.All(Enum.GetValues<WaitingOn>(), on =>
    {
        var plan = Started(Spec, 5, 5) with { State = RolloutState.Paused };

        Assert.NotEmpty(WaveExplanation.Of(RolloutOf(Spec, plan), [new WaveReport([on])], 0, 0)!.Waits[0].Text);
    });

    private static WaveExplanation Explain(RolloutPlan plan, RolloutReport report, int wave) =>
        WaveExplanation.Of(RolloutOf(Spec, plan), report.Waves, wave, 0)!;
}
