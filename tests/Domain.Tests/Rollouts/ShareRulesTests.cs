using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class ShareRulesTests
{
    private static readonly ImmutableArray<byte> Waves = [0, 1, 0, 0];
    private static readonly MemberReach[] Online = new MemberReach[4];

    [Fact]
    public void TakePermits_ForOnlineMembersInOrder_TakesThemOnceAndLetsTheRestLapse()
    {
        var share = Frozen();
        MemberReach[] reach = [MemberReach.Offline, MemberReach.Online, MemberReach.Online, MemberReach.Busy];

        var taken = ShareRules.TakePermits(share, Grant(3, 0), Waves, reach);
        var again = ShareRules.TakePermits(taken, Grant(3, 0), Waves, Online);

        Assert.Equal([2], taken.Open.Select(offer => offer.Member));
        Assert.Equal(3, taken.Permits[0].Seen);
        Assert.Equal(taken.Open, again.Open);
    }

    [Fact]
    public void TakePermits_WhileNothingMayBeOffered_LetsThemLapse()
    {
        var next = ShareRules.TakePermits(Frozen(), Grant(3, 0) with { IsOffering = false }, Waves, Online);

        Assert.Equal((0, 3L), (next.Open.Length, next.Permits[0].Seen));
    }

    /// <summary>The device's word is ahead of the feed, or the feed tells of both: once, and never of what was no offer.</summary>
    [Theory]
    [InlineData(true, ChangeOutcome.Withdrawn, "", 1)]
    [InlineData(false, ChangeOutcome.Withdrawn, "", 1)]
    [InlineData(true, ChangeOutcome.Skipped, DeviceChanges.StepRevoked, 1)]
    [InlineData(false, ChangeOutcome.Skipped, DeviceChanges.StepRevoked, 1)]
    [InlineData(false, ChangeOutcome.Skipped, ChangeTimers.ChangeTimedOut, 0)]
    public void Close_OfAnOfferThatWasTakenBack_CountsItOnce(bool isAhead, ChangeOutcome outcome, string reason, long wentBack)
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(2, 0), Waves, Online);
        var (offered, other) = (share.Open[0] with { Generation = 1 }, share.Open[1].Member);
        var back = Ended(outcome) with { WasMade = true, Generation = 1, Reason = reason };

        share = isAhead ? ShareRules.Close(share, 0, 0, back) : share;
        share = ShareRules.Confirm(share, 0, 0, offered, 0);
        share = ShareRules.Close(share, 0, 0, back);
        share = ShareRules.Close(share, 0, 0, back);
        share = ShareRules.Close(share, other, 0, Ended(ChangeOutcome.Withdrawn));

        var totals = ShareCount.Totals(share, Waves, Online, 2, Timers, Start);
        Assert.Equal((1L, wentBack, 0), (totals[0].Offered, totals[0].WentBack, totals[0].InProgress));
        Assert.Equal(2 * wentBack, totals[0].Plus(totals[0]).WentBack);
    }

    [Fact]
    public void Totals_OfAnyState_AddUp()
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(2, 1), Waves, Online);
        share = ShareRules.Confirm(share, 0, 0, share.Open[0], 0);
        share = ShareRules.Close(share, 0, 0, Ended(ChangeOutcome.Succeeded));
        share = ShareRules.Close(share, 1, 1, Ended(ChangeOutcome.Skipped));
        share = ShareRules.Confirm(share, 2, 0, share.Open[0], 0);
        MemberReach[] reach = [MemberReach.Online, MemberReach.Online, MemberReach.Online, MemberReach.Offline];

        var totals = ShareCount.Totals(share, Waves, reach, 2, Timers, Start);

        Assert.Equal(
            [
                new ShareTotals { Members = 3, Waiting = 1, WaitingOffline = 1, Offered = 2, Succeeded = 1, GrantSeen = 2 },

                // Skipped without an offer: the rate does not count it.
                new ShareTotals { Members = 1, Skipped = 1, GrantSeen = 1, Skips = Skips(MemberReason.Other) },
            ],
            totals);
        Assert.Equal(1, totals[0].InProgress);
    }

    [Theory]
    [InlineData(ChangeOutcome.Succeeded, MemberStatus.Succeeded)]
    [InlineData(ChangeOutcome.Failed, MemberStatus.Failed)]
    [InlineData(ChangeOutcome.TimedOut, MemberStatus.TimedOut)]
    [InlineData(ChangeOutcome.Rejected, MemberStatus.Rejected)]
    [InlineData(ChangeOutcome.Skipped, MemberStatus.Skipped)]
    [InlineData(ChangeOutcome.Removed, MemberStatus.Removed)]
    [InlineData(ChangeOutcome.Withdrawn, MemberStatus.Waiting)]
    public void Close_WithAnOutcome_FreesThePermit(ChangeOutcome outcome, MemberStatus expected)
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(1, 0), Waves, Online);

        var closed = ShareRules.Close(ShareRules.Confirm(share, 0, 0, share.Open[0], 0), 0, 0, Ended(outcome));

        Assert.Equal(expected, closed.Members[0]);
        Assert.Empty(closed.Open);
        Assert.Equal(1, closed.Permits[0].Offered);
    }

    [Fact]
    public void Confirm_OfAnOfferThatWasGivenUp_TakesItInAgainAndCountsItOnce()
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(1, 0), Waves, Online);
        var offer = share.Open[0];

        var lost = ShareRules.Lose(share, 0, TimeoutPolicy.Fail, Start);
        var late = ShareRules.Confirm(lost, 0, 0, offer with { IsConfirmed = true }, 0);

        Assert.Equal((MemberStatus.TimedOut, 0, 0L), (lost.Members[0], lost.Open.Length, lost.Permits[0].Offered));
        Assert.Equal((MemberStatus.Offered, 1, 1L), (late.Members[0], late.Open.Length, late.Permits[0].Offered));
    }

    [Fact]
    public void Close_WithAnotherOutcomeLater_TakesTheSuccessBack()
    {
        var share = ShareRules.Close(Frozen(), 0, 0, Ended(ChangeOutcome.Succeeded));

        Assert.Equal(MemberStatus.Failed, ShareRules.Close(share, 0, 0, Ended(ChangeOutcome.Failed)).Members[0]);
        Assert.Equal(share, ShareRules.Confirm(share, 0, 0, new OpenOffer(0, 1, true, Start, null), 0));
    }

    [Fact]
    public void Totals_OfAPermitWhoseOfferIsUnknown_DoNotSettleIt()
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(2, 0), Waves, Online);

        var unknown = ShareCount.Totals(share, Waves, Online, 2, Timers, Start)[0];
        var known = ShareCount.Totals(ShareRules.Confirm(share, 0, 0, share.Open[0], 0), Waves, Online, 2, Timers, Start)[0];
        var again = ShareCount.Totals(ShareRules.TakePermits(share, Grant(2, 0), Waves, Online), Waves, Online, 2, Timers, Start)[0];

        Assert.Equal((0L, 0L), (unknown.GrantSeen, unknown.Offered));
        Assert.Equal((1L, 1L), (known.GrantSeen, known.Offered));
        Assert.Equal(unknown, again);
    }

    [Fact]
    public void Release_OfAPermitThatWasNotNeeded_LetsTheMemberWait()
    {
        var share = ShareRules.Release(ShareRules.TakePermits(Frozen(), Grant(1, 0), Waves, Online), 0);

        Assert.Equal((MemberStatus.Waiting, 0, 0L), (share.Members[0], share.Open.Length, share.Permits[0].Offered));
    }

    [Fact]
    public void Leave_OfAWaitingMember_RemovesIt() =>
        Assert.Equal(MemberStatus.Removed, ShareRules.Leave(Frozen(), 1).Members[1]);

    /// <summary>Whatever is read of it later, also behind its return to service: it is out of the rollout.</summary>
    [Theory]
    [InlineData(ChangeOutcome.Succeeded)]
    [InlineData(ChangeOutcome.Failed)]
    [InlineData(ChangeOutcome.TimedOut)]
    [InlineData(ChangeOutcome.Rejected)]
    [InlineData(ChangeOutcome.Skipped)]
    public void Leave_BehindAnOutcome_LeavesNumeratorAndDenominatorForGood(ChangeOutcome outcome)
    {
        var ended = ShareRules.Close(Frozen(), 0, 0, Ended(outcome) with { WasMade = true, Generation = 1 });

        var left = ShareRules.Leave(ended, 0);
        var later = ShareRules.Close(left, 0, 0, Ended(ChangeOutcome.Failed) with { WasMade = true, Generation = 1 });
        later = ShareRules.Confirm(later, 0, 0, new OpenOffer(0, 1, true, Start, null) { Generation = 3 }, 0);
        later = ShareRules.Close(later, 0, 0, Ended(ChangeOutcome.Succeeded) with { WasMade = true, Generation = 3 });

        var totals = ShareCount.Totals(later, Waves, Online, 2, Timers, Start)[0];
        Assert.Equal((1, 0, 0, 0), (totals.Removed, totals.Finished, totals.Skipped, totals.InProgress));
        Assert.Equal(ended.Permits, later.Permits);
    }

    [Fact]
    public void Leave_OfAMemberThatWasGivenUp_IsNotOpenedByALateOffer()
    {
        var left = ShareRules.Leave(ShareRules.GiveUp(Frozen(), 0, TimeoutPolicy.Fail, Start), 0);

        var late = ShareRules.Confirm(left, 0, 0, new OpenOffer(0, 1, true, Start, null) { Generation = 1 }, 0);

        Assert.Equal((MemberStatus.Removed, 0), (late.Members[0], late.Open.Length));
    }

    [Fact]
    public void Close_OfAnOfferThatWasSuperseded_IsNoneOfThoseThatEnded()
    {
        var share = ShareRules.TakePermits(Frozen(), Grant(1, 0), Waves, Online);
        share = ShareRules.Confirm(share, 0, 0, share.Open[0] with { Generation = 1 }, 0);
        var superseded = Ended(ChangeOutcome.Skipped) with { Reason = DeviceChanges.Superseded, WasMade = true, Generation = 1 };

        var totals = ShareCount.Totals(ShareRules.Close(share, 0, 0, superseded), Waves, Online, 2, Timers, Start)[0];

        Assert.Equal((1L, 1L, 1), (totals.Offered, totals.WentBack, totals.Skipped));
    }

    private static RolloutShare Frozen() => ShareRules.Freeze(Guid.Empty, 0, 4);

    private static SkipTotals Skips(MemberReason reason) =>
        new([.. Enumerable.Range(0, MemberReasons.Count).Select(i => i == (int)reason ? 1 : 0)]);

    private static MemberOutcome Ended(ChangeOutcome outcome) => new(outcome, 0, "", Start);

    private static PermitGrant Grant(params ImmutableArray<long> granted) => new(granted, 1, true, Start);

    [Fact]
    public void Forgo_PermitsThatThePlanKnowsAndTheShareDoesNot_AreNotUsedAgain()
    {
        var restored = ShareRules.Forgo(Frozen(), [2, 0]);
        var next = ShareRules.TakePermits(restored, Grant(3, 0), Waves, Online);

        Assert.Equal(2, restored.Permits[0].Seen);
        Assert.Single(next.Open);
        Assert.Equal(3, next.Permits[0].Seen);
    }

    [Fact]
    public void Forgo_OfAShareThatKnowsAllThatThePlanKnows_ChangesNothing()
    {
        var share = Frozen() with { Permits = [new PermitsUsed(4, 3), new PermitsUsed(1, 1)] };

        Assert.Same(share, ShareRules.Forgo(share, [4, 0]));
        Assert.Same(share, ShareRules.Forgo(share, [3]));
        Assert.Same(share, ShareRules.Forgo(share, []));
    }

    [Fact]
    public void ReportVersionOf_AShareWhoseFeedIsAnotherNow_IsNewer()
    {
        var before = Frozen() with { Position = 70_000 };
        var after = ShareRules.Miss(before, 5, 1);

        Assert.True(ShareRules.ReportVersionOf(after) > ShareRules.ReportVersionOf(before));
        Assert.True(ShareRules.ReportVersionOf(after with { Position = 6 }) > ShareRules.ReportVersionOf(after));
    }
}
