using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Tests.Devices;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>An offer that goes back and is made again is waited for no longer than the first (rollouts.md 9).</summary>
public sealed class MemberTurnsTests
{
    private static readonly ImmutableArray<byte> s_waves = [0];
    private static readonly DateTimeOffset s_back = Start + OfferHandover.WaitMax;
    private static readonly DateTimeOffset s_again = Start.AddDays(5);
    private static readonly DateTimeOffset s_end = Start + Timers.UndeliveredMax;

    [Fact]
    public void OfferMadeAgain_IsToldToTheDeviceAndEndsForBothWhenTheFirstWouldHave()
    {
        var share = Permit(WentBack(), s_again, 2);
        var offer = Assert.Single(share.Open);

        var device = DeviceChanges.Offer(
            Units.InState(DeviceState.InService),
            Units.Offer() with { FirstOfferedAt = offer.FirstOfferedAt },
            hasSession: true,
            s_again);
        var fact = Assert.IsType<ChangeOffered>(Assert.Single(device.Events));
        var told = new OpenOffer(0, 1, IsConfirmed: true, s_again, null) { Generation = 3, FirstOfferedAt = fact.FirstOfferedAt };
        var known = Assert.Single(ShareRules.Confirm(share, 0, 0, told, 0).Open);

        Assert.Equal(((DateTimeOffset?)Start, (DateTimeOffset?)Start), (offer.FirstOfferedAt, known.FirstOfferedAt));
        Assert.Equal((DateTimeOffset?)Start, device.FirstOfferedAt);
        foreach (var (now, isOver) in new[] { (s_end - TimeSpan.FromSeconds(1), false), (s_end, true) })
        {
            Assert.Equal(isOver, Timers.IsOver(known.Since, known.DeliveredAt, known.InstallsSince, now));
            Assert.Equal(isOver, DeviceChanges.Expire(device.Next, Units.Rollout(), 0, Timers, now).Verdict == OfferVerdict.Closed);
        }
    }

    /// <summary>As a silo of an earlier version made it: its record decides, and the share waits as long.</summary>
    [Fact]
    public void OfferMadeAgain_ByADeviceThatWasNotToldSinceWhen_EndsWithItsOwnTime()
    {
        var told = new OpenOffer(0, 1, IsConfirmed: true, s_again, null) { Generation = 3 };

        var known = Assert.Single(ShareRules.Confirm(Permit(WentBack(), s_again, 2), 0, 0, told, 0).Open);

        Assert.Equal(s_again, known.Since);
    }

    /// <summary>Also while it is there and waits for a permit: it would be offered what is over.</summary>
    [Theory]
    [InlineData(MemberReach.Offline)]
    [InlineData(MemberReach.Online)]
    [InlineData(MemberReach.Busy)]
    [InlineData(MemberReach.GroupFull)]
    public void MemberWhoseOfferWentBack_IsGivenUpAtTheEndOfItsTurnWhateverItWaitsFor(MemberReach reach)
    {
        var share = WentBack();

        Assert.False(MemberTurns.IsOver(share, 0, reach, Start.AddDays(-9), Timers, s_end - TimeSpan.FromSeconds(1)));
        Assert.True(MemberTurns.IsOver(share, 0, reach, Start.AddDays(-9), Timers, s_end));
        Assert.False(MemberTurns.IsOver(share, 0, reach, Start.AddDays(-9), Timers with { UndeliveredPolicy = TimeoutPolicy.Wait }, s_end));
    }

    /// <summary>It may wait for rate or budget for longer than the timer.</summary>
    [Theory]
    [InlineData(MemberReach.Offline, true)]
    [InlineData(MemberReach.Online, false)]
    [InlineData(MemberReach.Busy, false)]
    public void MemberThatWasNeverOfferedIt_IsGivenUpOnlyWhenItCannotBeReached(MemberReach reach, bool isOver) =>
        Assert.Equal(isOver, MemberTurns.IsOver(ShareRules.Freeze(Guid.Empty, 0, 1), 0, reach, Start, Timers, s_end));

    [Fact]
    public void NextAttempt_HasATurnOfItsOwnFromTheEndOfItsBackOff()
    {
        var due = s_again.AddMinutes(1);
        var failed = new MemberOutcome(ChangeOutcome.Failed, 0, "flash", s_again) { WasMade = true, Generation = 3, RetryAt = due };

        var share = ShareRules.Close(Permit(WentBack(), s_again, 2), 0, 0, failed);

        Assert.Empty(share.Turns);
        Assert.Equal(due, MemberTurns.TurnOf(share, 0, Start, due));
        Assert.Null(Assert.Single(Permit(share, due, 3).Open).FirstOfferedAt);
    }

    [Fact]
    public void OfferBehindAStep_HasATurnOfItsOwn()
    {
        var step = new MemberOutcome(ChangeOutcome.StepTaken, 0, "", s_again) { WasMade = true, Generation = 3 };

        var share = ShareRules.Close(Permit(WentBack(), s_again, 2), 0, 0, step);

        Assert.Null(Assert.Single(Permit(share, s_again.AddHours(1), 3).Open).FirstOfferedAt);
    }

    [Fact]
    public void OfferThatGoesBackAgain_KeepsTheTimeOfTheFirst()
    {
        var share = Permit(WentBack(), s_again, 2);
        var again = new MemberOutcome(ChangeOutcome.Withdrawn, 0, OfferHandover.Reason, s_again.AddMinutes(1))
        {
            WasMade = true,
            Generation = 3,
        };

        share = ShareRules.Close(share, 0, 0, again);

        Assert.Equal(new MemberTurn(0, 0, Start), Assert.Single(share.Turns));
    }

    /// <summary>One of the two went back with its store: the share knew of no attempt before the one that the device speaks of.</summary>
    [Fact]
    public void AttemptThatOnlyTheDeviceKnewOf_IsWaitedForFromItsPermit()
    {
        var adopted = ShareRules.Adopt(Permit(ShareRules.Freeze(Guid.Empty, 0, 1), s_again, 1), 0, 1);
        var later = ShareRules.Adopt(Permit(ShareRules.Release(adopted, 0), s_again.AddDays(3), 2), 0, 2);
        foreach (var (share, since) in new[] { (adopted, s_again), (later, s_again.AddDays(3)) })
        {
            var waits = ShareRules.Release(share, 0); // its device knows nothing of it any more
            var end = since + Timers.UndeliveredMax;

            Assert.Equal(MemberStatus.Retrying, waits.Members[0]);
            Assert.Equal(since, MemberTurns.TurnOf(waits, 0, Start.AddDays(-30), since));
            Assert.False(MemberTurns.IsOver(waits, 0, MemberReach.Offline, Start.AddDays(-30), Timers, end - TimeSpan.FromSeconds(1)));
            Assert.True(MemberTurns.IsOver(waits, 0, MemberReach.Offline, Start.AddDays(-30), Timers, end));
        }
    }

    /// <summary>The fact of the offer is read, or that of its end, and neither the share nor a permit knew of that attempt.</summary>
    [Fact]
    public void AttemptThatOnlyTheFeedKnewOf_IsWaitedForFromItsOffer()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 1);
        var told = new OpenOffer(0, 1, IsConfirmed: true, s_again, null) { Generation = 3 };

        var offered = ShareRules.Confirm(share, 0, 0, told, 1);
        var ended = ShareRules.Close(
            share, 0, 0, new MemberOutcome(ChangeOutcome.Withdrawn, 1, "NEVER_OFFERED", s_again));

        Assert.Equal(s_again, MemberTurns.TurnOf(ShareRules.Release(offered, 0), 0, Start.AddDays(-30), s_again));
        Assert.Equal(s_again, MemberTurns.TurnOf(ended, 0, Start.AddDays(-30), s_again));
    }

    /// <summary>As a silo of an earlier version recorded it: no turn is earlier than that of the wave, nor one in the year 1.</summary>
    [Fact]
    public void RetryWithoutABackOff_IsWaitedForFromTheStartOfItsWave()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 1) with
        {
            Members = [MemberStatus.Retrying],
            Retries = [new MemberRetry(0, 1, DueAt: default)],
        };

        Assert.Null(MemberTurns.TurnOf(share, 0, waveOpenedAt: null, s_end));
        Assert.Equal(Start, MemberTurns.TurnOf(share, 0, Start, s_end));
        Assert.False(MemberTurns.IsOver(share, 0, MemberReach.Offline, Start, Timers, s_end - TimeSpan.FromSeconds(1)));
        Assert.True(MemberTurns.IsOver(share, 0, MemberReach.Offline, Start, Timers, s_end));
    }

    private static RolloutShare WentBack()
    {
        var share = Permit(ShareRules.Freeze(Guid.Empty, 0, 1), Start, 1);
        share = ShareRules.Confirm(share, 0, 0, share.Open[0] with { Generation = 1 }, 0);
        var end = new MemberOutcome(ChangeOutcome.Withdrawn, 0, OfferHandover.Reason, s_back) { WasMade = true, Generation = 1 };
        return ShareRules.Close(share, 0, 0, end);
    }

    private static RolloutShare Permit(RolloutShare share, DateTimeOffset now, long granted) =>
        ShareRules.TakePermits(share, new PermitGrant([granted], 1, IsOffering: true, now), s_waves, [MemberReach.Online]);
}
