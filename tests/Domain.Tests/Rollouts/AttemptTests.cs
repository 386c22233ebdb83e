using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Members that are tried again, and what the gates make of them.</summary>
public sealed class AttemptTests
{
    private static readonly ImmutableArray<byte> Waves = [0, 0, 0];
    private static readonly MemberReach[] Online = new MemberReach[3];
    private static readonly RetryPolicy ThreeTimes = new(3, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(90));

    [Fact]
    public void NextAfter_EachAttempt_DoublesTheBackoffUpToItsBoundAndShortensItByLessThanAQuarter()
    {
        var policy = new RetryPolicy(10, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(30));
        double[] minutes = [1, 2, 4, 8, 16, 30, 30, 30, 30];

        for (var retry = 0; retry < minutes.Length; retry++)
        {
            for (var place = 0UL; place < 50; place++)
            {
                var delay = policy.NextAfter(Failed(retry), place)!.Value - Start;
                Assert.InRange(delay.TotalMinutes, minutes[retry] * 0.75, minutes[retry]);
                Assert.Equal(delay, policy.NextAfter(Failed(retry), place)!.Value - Start);
            }
        }

        Assert.Null(policy.NextAfter(Failed(9), 1));
        Assert.NotEqual(policy.NextAfter(Failed(0), 1), policy.NextAfter(Failed(0), 2));
    }

    [Theory]
    [InlineData(ChangeOutcome.Failed, "flash", true)]
    [InlineData(ChangeOutcome.TimedOut, ChangeTimers.ChangeTimedOut, true)]
    [InlineData(ChangeOutcome.Rejected, "busy", true)]
    [InlineData(ChangeOutcome.TimedOut, ChangeTimers.OfferUndelivered, false)]
    [InlineData(ChangeOutcome.Rejected, "MODEL_NOT_COMPATIBLE", false)]
    [InlineData(ChangeOutcome.Skipped, "TRACK_MISMATCH", false)]
    [InlineData(ChangeOutcome.Succeeded, "", false)]
    public void NextAfter_AnOutcome_IsNothingWhenItIsFinal(ChangeOutcome outcome, string reason, bool isRetried)
    {
        var next = ThreeTimes.NextAfter(new MemberOutcome(outcome, 0, reason, Start), 1);

        Assert.Equal(isRetried, next is not null);
    }

    [Fact]
    public void Close_WithAttemptsLeft_FreesThePermitAndWaitsForTheNextOne()
    {
        var share = Retrying();

        var early = ShareRules.TakePermits(share, Grant(2, Start), Waves, Online);
        var due = ShareRules.TakePermits(share, Grant(2, Start.AddMinutes(1)), Waves, Online);

        Assert.Equal((MemberStatus.Retrying, 1), (share.Members[0], ShareRules.RetryOf(share, 0)));
        Assert.Empty(share.Open);
        Assert.Equal([1], early.Open.Select(offer => offer.Member));
        Assert.Equal([0], due.Open.Select(offer => offer.Member));
        Assert.Equal(2, ShareRules.Confirm(due, 0, 0, due.Open[0], 1).Permits[0].Offered);
    }

    [Fact]
    public void Close_ReadAgain_CountsTheAttemptOnce()
    {
        var share = Retrying();

        var again = ShareRules.Close(share, 0, 0, Failed(0));
        var offered = ShareRules.Confirm(share, 0, 0, new OpenOffer(0, 1, true, Start, null), 0);
        var delivered = ShareRules.TakePermits(share, Grant(2, Start.AddHours(1)), Waves, Online);
        var late = ShareRules.Close(delivered, 0, 0, Failed(0));

        Assert.Same(share, again);
        Assert.Same(share, offered);
        Assert.Same(delivered, late);
    }

    [Fact]
    public void Close_OfTheLastAttempt_IsFinalAndOfAnEarlierSuccessToo()
    {
        var share = Retrying();

        var failed = ShareRules.Close(share, 0, 0, Failed(1));
        var succeeded = ShareRules.Close(share, 0, 0, new MemberOutcome(ChangeOutcome.Succeeded, 1, "", Start));

        Assert.Equal((MemberStatus.Failed, 1), (failed.Members[0], ShareRules.RetryOf(failed, 0)));
        Assert.Equal(MemberStatus.Succeeded, succeeded.Members[0]);
        Assert.Equal(MemberStatus.Failed, ShareRules.Close(succeeded, 0, 0, Failed(1)).Members[0]);
    }

    [Fact]
    public void Release_OfARetry_LetsItWaitForTheSameAttempt()
    {
        var offered = ShareRules.TakePermits(Retrying(), Grant(2, Start.AddHours(1)), Waves, Online);

        var released = ShareRules.Release(offered, 0);
        var withdrawn = ShareRules.Close(offered, 0, 0, new MemberOutcome(ChangeOutcome.Withdrawn, 1, "", Start));

        Assert.Equal((MemberStatus.Retrying, 1), (released.Members[0], ShareRules.RetryOf(released, 0)));
        Assert.Equal((MemberStatus.Retrying, 1), (withdrawn.Members[0], ShareRules.RetryOf(withdrawn, 0)));
    }

    [Fact]
    public void Adopt_WhatTheDeviceSays_ReplacesWhatTheShareBelieved()
    {
        var ahead = ShareRules.Adopt(ShareRules.Freeze(Guid.Empty, 0, 3), 2, 2);

        Assert.Equal((2, 0), (ShareRules.RetryOf(ahead, 2), ShareRules.RetryOf(ahead, 1)));
        Assert.Equal(0, ShareRules.RetryOf(ShareRules.Adopt(ahead, 2, 0), 2));
        Assert.Same(ahead, ShareRules.Adopt(ahead, 2, 2));
    }

    [Fact]
    public void Totals_OfMembersToTryAgain_AreNeitherWaitingNorInProgressNorTerminal()
    {
        var share = Retrying();

        var early = ShareCount.Totals(share, Waves, Online, 1, Timers, Start)[0];
        var due = ShareCount.Totals(share, Waves, Online, 1, Timers, Start.AddMinutes(1))[0];

        Assert.Equal((1, 0, 2, 0, 0), (early.Retrying, early.RetryingOnline, early.Waiting, early.InProgress, early.Terminal));
        Assert.Equal((2, 3), (early.Ready, due.Ready));
        Assert.Equal((1, 1), (early.FailedNow, early.FinishedNow));
    }

    [Theory]
    [InlineData(TimeoutPolicy.Fail, MemberStatus.TimedOut)]
    [InlineData(TimeoutPolicy.LeaveOut, MemberStatus.Skipped)]
    public void GiveUp_OfAMemberThatIsAway_SaysWhyAndIsOpenToAnOfferThatWasMadeAfterAll(TimeoutPolicy policy, MemberStatus expected)
    {
        var share = ShareRules.TakePermits(ShareRules.Freeze(Guid.Empty, 0, 3), Grant(1, Start), Waves, Online);

        var lost = ShareRules.Lose(share, 0, policy, Start);
        var late = ShareRules.Confirm(lost, 0, 0, new OpenOffer(0, 1, true, Start, null), 0);
        var skips = ShareCount.Totals(lost, Waves, Online, 1, Timers, Start)[0].Skips;

        Assert.Equal(expected, lost.Members[0]);
        Assert.Equal(new MemberEnd(0, MemberReason.OfferUndelivered, Start, IsGivenUp: true), Assert.Single(lost.Ends));
        Assert.Equal(policy == TimeoutPolicy.LeaveOut ? 1 : 0, skips?.Of(MemberReason.OfferUndelivered) ?? 0);
        Assert.Equal((MemberStatus.Offered, 0), (late.Members[0], late.Ends.Length));
    }

    [Theory]
    [InlineData(ChangeOutcome.TimedOut)]
    [InlineData(ChangeOutcome.Skipped)]
    public void Confirm_OfAnOfferThatEndedByItsDevicesWord_IsLateAndCountsNothing(ChangeOutcome outcome)
    {
        var share = ShareRules.TakePermits(ShareRules.Freeze(Guid.Empty, 0, 3), Grant(1, Start), Waves, Online);

        var ended = ShareRules.Close(share, 0, 0, new MemberOutcome(outcome, 0, ChangeTimers.OfferUndelivered, Start));

        Assert.Same(ended, ShareRules.Confirm(ended, 0, 0, new OpenOffer(0, 1, true, Start, null), 0));
    }

    [Theory]
    [InlineData(ChangeOutcome.Skipped, true, 1)]
    [InlineData(ChangeOutcome.Skipped, false, 0)]
    [InlineData(ChangeOutcome.Removed, true, 1)]
    [InlineData(ChangeOutcome.Failed, false, 1)]
    [InlineData(ChangeOutcome.Withdrawn, true, 0)]
    public void Close_OfAnOfferOfWhichNothingWasKnown_CountsItIfItWasMade(ChangeOutcome outcome, bool wasMade, long offered)
    {
        var share = ShareRules.TakePermits(ShareRules.Freeze(Guid.Empty, 0, 3), Grant(1, Start), Waves, Online);

        var ended = ShareRules.Close(share, 0, 0, new MemberOutcome(outcome, 0, "", Start) { WasMade = wasMade });

        Assert.Equal(offered, ended.Permits[0].Offered);
    }

    /// <summary>
    /// Who cannot be reached is waited for since his turn; an offer that is made late in it has all of its time, or it would be given up
    /// with the turn of those that waited for rate or budget for as long.
    /// </summary>
    [Fact]
    public void UndeliveredTimer_RunsFromTheOfferAndBeforeItFromTheTurn()
    {
        var late = Start + Timers.UndeliveredMax - TimeSpan.FromHours(2);
        var over = late + Timers.UndeliveredMax;
        var share = ShareRules.TakePermits(ShareRules.Freeze(Guid.Empty, 0, 3), Grant(1, late), Waves, Online);
        var offer = Assert.Single(share.Open);
        var device = DeviceChanges.Offer(
            Devices.Units.InState(DeviceState.InService), Devices.Units.Offer(), hasSession: true, late).Next;

        Assert.Equal(Start, MemberTurns.TurnOf(share, 1, Start, late));
        Assert.Equal(Start + Timers.UndeliveredMax, Timers.DeadlineOf(Start, deliveredAt: null));
        foreach (var (now, isOver) in new[] { (over - TimeSpan.FromSeconds(1), false), (over, true) })
        {
            var expired = DeviceChanges.Expire(device, Devices.Units.Rollout(), 0, Timers, now);
            Assert.Equal(isOver, Timers.IsOver(offer.TakenAt, offer.DeliveredAt, offer.InstallsSince, now));
            Assert.Equal(isOver ? ChangeOutcome.TimedOut : ChangeOutcome.Unspecified, expired.Outcome);
        }
    }

    [Fact]
    public void Totals_OfSkippedMembers_SayHowManyForWhichReason()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 3);
        foreach (var (member, reason) in new[] { (2, "TRACK_MISMATCH"), (0, "TRACK_MISMATCH"), (1, "words of a later version") })
        {
            share = ShareRules.Close(share, member, 0, new MemberOutcome(ChangeOutcome.Skipped, 0, reason, Start));
        }

        var totals = ShareCount.Totals(share, Waves, Online, 1, Timers, Start)[0];
        var both = totals.Plus(totals).Skips!;

        Assert.Equal([0, 1, 2], share.Ends.Select(end => end.Member));
        Assert.Equal((4, 2, 0), (both.Of(MemberReason.TrackMismatch), both.Of(MemberReason.Other), both.Of(MemberReason.OsBelowFloor)));
        Assert.Equal(totals.Skips, SkipTotals.Sum(null, totals.Skips));
    }

    [Fact]
    public void NameOf_EveryReason_IsReadBackAsItself()
    {
        foreach (var reason in Enum.GetValues<MemberReason>())
        {
            Assert.Equal(reason, MemberReasons.Parse(MemberReasons.NameOf(reason)));
        }

        Assert.Equal(Enum.GetValues<MemberReason>().Length, MemberReasons.Count);
    }

    [Fact]
    public void Plan_WithDevicesToTryAgain_CountsThemAsFailedAndGrantsThemPermitsWhenTheyAreDue()
    {
        var spec = Spec(Wave(Amount.Percent(100), 60)) with { FailureGate = new FailureGate(2, null, 1) };
        var plan = Granted(Started(spec, 5), 5);

        var (waits, report) = Step(spec, plan, 1, Totals(5, succeeded: 4) with { Waiting = 0, Retrying = 1 });
        var (due, _) = Step(spec, plan, 2, Totals(5, succeeded: 2, inProgress: 2) with { Waiting = 0, Retrying = 1, RetryingOnline = 1 });
        var (fired, _) = Step(spec, plan, 3, Totals(5, failed: 1, inProgress: 3) with { Waiting = 0, Retrying = 1 });

        // 4 of 5 are above 60 %: the gate is open, and the rollout has not ended before the fifth has.
        Assert.Equal((WaveState.Passed, RolloutState.Running), (waits.Waves[0].State, waits.State));
        Assert.Equal([WaitingOn.Retry], report.Waves[0].WaitingOn);
        Assert.Equal(6, due.Shares[0].Waves[0].Granted);
        Assert.Equal((RolloutState.Suspended, PlanReasons.FailureGate), (fired.State, fired.Decisions[^1].Reason));
    }

    [Fact]
    public void Plan_WhenAcceptedFailuresAreTriedAgain_CountsTheirNextFailure()
    {
        var spec = Spec(Wave(Amount.Percent(100), 0)) with { FailureGate = new FailureGate(2, null, 1) };
        var failing = Totals(5, inProgress: 3) with { Waiting = 0, Retrying = 2 };
        var suspended = Step(spec, Granted(Started(spec, 5), 5), 1, failing).Next;
        var resumed = RolloutLifecycle.Resume(suspended, spec, accept: true, Order(reason: "seen")).Next;

        var (accepted, _) = Step(spec, resumed, 2, failing);
        var (tried, report) = Step(spec, accepted, 3, Totals(5, inProgress: 5));
        var (again, _) = Step(spec, tried, 4, failing);

        Assert.Equal((RolloutState.Suspended, 2), (suspended.State, resumed.Waves[0].FailedWaived));
        Assert.Equal((RolloutState.Running, 2), (accepted.State, accepted.Waves[0].FailedWaived));
        Assert.Equal((RolloutState.Running, 0), (tried.State, tried.Waves[0].FailedWaived));
        Assert.Contains(report.Facts, fact => fact is AcceptedFailuresLapsed { FailedWaived: 0 });
        Assert.Equal(RolloutState.Suspended, again.State);
    }

    [Fact]
    public void Validate_OfAttemptsAndPoliciesThatMakeNoSense_NamesEachField()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with
        {
            Retries = new RetryPolicy(11, TimeSpan.Zero, TimeSpan.FromDays(8)),
            InProgressPolicy = (TimeoutPolicy)7,
        };

        Assert.Equal(
            ["retries.max_attempts", "retries.backoff", "retries.backoff_max", "in_progress_policy"],
            RolloutSpecRules.Validate(spec).Select(problem => problem.Field));
        Assert.Empty(RolloutSpecRules.Validate(spec with { Retries = ThreeTimes, InProgressPolicy = TimeoutPolicy.Wait }));
    }

    /// <summary>The first of three has failed once.</summary>
    private static RolloutShare Retrying()
    {
        var share = ShareRules.TakePermits(ShareRules.Freeze(Guid.Empty, 0, 3), Grant(1, Start), Waves, Online);
        var confirmed = ShareRules.Confirm(share, 0, 0, share.Open[0], 0);
        return ShareRules.Close(confirmed, 0, 0, Failed(0) with { RetryAt = Start.AddMinutes(1) });
    }

    private static MemberOutcome Failed(int retry) => new(ChangeOutcome.Failed, retry, "flash", Start);

    private static PermitGrant Grant(long granted, DateTimeOffset now) => new([granted], 1, true, now);
}
