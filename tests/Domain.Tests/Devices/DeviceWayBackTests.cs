using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceWayBackTests
{
    private static readonly ChangeOffer Ordered = Units.Offer() with { Retry = WayBack.FirstRetry };

    /// <summary>What the device ran before, as the catalogue has it.</summary>
    private static readonly ChangeOffer Previous =
        Units.Offer(digest: Units.OldDigest, track: "lts") with
        {
            Target = new OsTarget(Units.OldDigest, "12.0.1", 900, [1]),
            Retry = WayBack.FirstRetry,
        };

    /// <summary>It has the image's offer, runs the old one, and its change ended so.</summary>
    private static Device EndedByUs(ChangeOutcome outcome)
    {
        var timers = new ChangeTimers(TimeSpan.Zero, TimeSpan.Zero)
        {
            InProgressPolicy = outcome == ChangeOutcome.Skipped ? TimeoutPolicy.LeaveOut : TimeoutPolicy.Fail,
        };
        var installing = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Installing, 1));
        return outcome switch
        {
            ChangeOutcome.Withdrawn => DeviceChanges.TakeBack(Units.Offered(), Units.Rollout(), 0, WayBack.Ordered, Units.Start).Next,
            ChangeOutcome.Failed => Units.Take(installing, Units.Report(1, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Failed)),
            _ => DeviceChanges.Expire(installing, Units.Rollout(), 0, timers, Units.Start).Next,
        };
    }

    private static Device Updated => Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));

    [Fact]
    public void OfferWayBack_OfADeviceThatSucceeded_OffersWhatItRanBeforeAndEndsWithItsBoot()
    {
        var decision = DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: true, Units.Start);
        var again = DeviceChanges.OfferWayBack(decision.Next, Ordered, Previous, hasSession: true, Units.Start);
        var back = Units.Take(decision.Next, Units.Hello("boot-3", 1, Units.OldDigest, 2));
        var ended = DeviceChanges.OfferWayBack(back, Ordered, Previous, hasSession: true, Units.Start);

        Assert.Equal(Units.OldDigest, decision.Next.Desired.Os?.Digest);
        Assert.Equal((OfferVerdict.InProgress, WayBack.FirstRetry), (again.Verdict, again.Retry));
        Assert.Empty(again.Events);
        Assert.Equal("lts", back.Track);
        Assert.Equal((ChangeOutcome.Succeeded, WayBack.FirstRetry), (ended.Outcome, ended.Retry));
    }

    [Fact]
    public void OfferWayBack_ThatFailed_IsOfferedAgainWithTheSameImage()
    {
        var offered = DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: true, Units.Start).Next;
        var failed = Units.Take(
            offered, Units.Report(offered.Desired.Generation, ChangeStep.Unspecified, 1, "boot-2", ChangeOutcome.Failed));

        var repeated = DeviceChanges.OfferWayBack(failed, Ordered, Previous, hasSession: true, Units.Start);
        var next = DeviceChanges.OfferWayBack(
            failed, Ordered with { Retry = WayBack.FirstRetry + 1 }, Previous, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Failed), (repeated.Verdict, repeated.Outcome));
        Assert.Equal((Units.OldDigest, ""), WayBack.Find(failed, Units.Rollout(), Units.NewDigest, []));
        Assert.Equal(OfferVerdict.InProgress, next.Verdict);
        Assert.NotEmpty(next.Events);
    }

    /// <summary>Of the previous image's offer the image alone is taken.</summary>
    [Fact]
    public void OfferWayBack_WhoeverAsksForThePreviousImage_IsAChangeOfTheRolloutThatIsRolledBack()
    {
        var back = DeviceChanges.OfferWayBack(
            Updated, Ordered, Previous with { Rollout = Units.Rollout("summer") }, hasSession: true, Units.Start).Next;

        Assert.Equal(Units.Rollout(), back.Change?.Rollout);
    }

    /// <summary>An offer of the way back that goes back and is made again is waited for no longer than the first (rollouts.md 9).</summary>
    [Fact]
    public void OfferWayBack_ThatIsMadeAgain_EndsWhenTheFirstWouldHave()
    {
        var timers = new ChangeTimers(TimeSpan.FromHours(1), TimeSpan.FromDays(7));
        var offered = DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: true, Units.Start).Next;
        var free = DeviceChanges.TakeBack(offered, Units.Rollout(), WayBack.FirstRetry, OfferHandover.Reason, Units.Start).Next;

        var again = DeviceChanges.OfferWayBack(
            free, Ordered with { FirstOfferedAt = Units.Start }, Previous, hasSession: true, Units.Start.AddDays(5));

        Assert.Equal(Units.Start, Assert.IsType<ChangeOffered>(Assert.Single(again.Events)).FirstOfferedAt);
        Assert.Equal(
            OfferVerdict.Closed,
            DeviceChanges.Expire(again.Next, Units.Rollout(), WayBack.FirstRetry, timers, Units.Start.AddDays(7)).Verdict);
    }

    [Fact]
    public void Offer_OfTheWayThereThatComesLate_IsAnsweredWithTheEnd()
    {
        var offered = DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: true, Units.Start).Next;
        var back = Units.Take(offered, Units.Hello("boot-3", 1, Units.OldDigest, 2));

        var late = DeviceChanges.Offer(back, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, WayBack.FirstRetry), (late.Verdict, late.Retry));
        Assert.Empty(late.Events);
    }

    [Theory]
    [InlineData("unpublished", WayBack.NoWayBack)]
    [InlineData("another", WayBack.NoWayBack)]
    [InlineData("model", WayBack.NoWayBack)]
    [InlineData("floor", WayBack.NoWayBack)]
    [InlineData("minimum", WayBack.NoWayBack)]
    [InlineData("forgotten", WayBack.NoWayBack)]
    [InlineData("unknown", WayBack.NoWayBack)]
    [InlineData("left", WayBack.NothingToRollBack)]
    public void OfferWayBack_WithoutAWay_SaysWhyAndChangesNothing(string fault, string reason)
    {
        var previous = fault switch
        {
            "unpublished" => null,
            "another" => Previous with { Target = Previous.Target with { Digest = new string('3', 64) } },
            "model" => Previous with { Models = ["Q6075"] },
            "minimum" => Previous with { Conditions = new ImageConditions { MinFromVersion = "13" } },
            _ => Previous,
        };
        var device = fault switch
        {
            "floor" => Updated with { OsFloor = "12.1" },
            "forgotten" => Updated with { LastChange = null },
            "unknown" => Updated with { LastChange = Updated.LastChange! with { PreviousDigest = "" } },
            "left" => Updated with { Os = Units.Os("boot-3", new string('3', 64)) },
            _ => Updated,
        };

        var decision = DeviceChanges.OfferWayBack(device, Ordered, previous, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Skipped, reason), (decision.Verdict, decision.Outcome, decision.Reason));
        Assert.Empty(decision.Events);
    }

    [Theory]
    [InlineData(ChangeOutcome.TimedOut)]
    [InlineData(ChangeOutcome.Skipped)]
    [InlineData(ChangeOutcome.Withdrawn)]
    public void OfferWayBack_OfADeviceThatMayStillInstallTheImage_WaitsAndBringsItBackWhenItDoes(ChangeOutcome outcome)
    {
        var ended = EndedByUs(outcome);
        var order = Ordered with { SettlesWithin = TimeSpan.FromHours(1) };

        var early = DeviceChanges.OfferWayBack(ended, order, previous: null, hasSession: true, Units.Start.AddMinutes(1));
        var away = DeviceChanges.OfferWayBack(ended, order, previous: null, hasSession: false, Units.Start.AddMinutes(1));
        var late = Units.Take(ended, Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var back = DeviceChanges.OfferWayBack(late, order, Previous, hasSession: true, Units.Start.AddMinutes(2));

        Assert.Equal((OfferVerdict.Busy, Units.Start.AddMinutes(2)), (early.Verdict, early.AskAgainAt!.Value));
        Assert.Equal(OfferVerdict.Offline, away.Verdict);
        Assert.Equal((OfferVerdict.InProgress, Units.OldDigest), (back.Verdict, back.Next.Desired.Os?.Digest));
    }

    [Theory]
    [InlineData(ChangeOutcome.TimedOut, 1, 60)] // its time is over
    [InlineData(ChangeOutcome.Withdrawn, 2, 1)] // it named the generation that takes the image away again
    [InlineData(ChangeOutcome.Failed, 1, 1)] // it said so itself
    public void OfferWayBack_OfADeviceThatInstallsNothingAnyMore_HasNothingToGoBackFrom(ChangeOutcome outcome, long reached, int minutes)
    {
        var ended = EndedByUs(outcome) with { GenerationReached = reached };

        var decision = DeviceChanges.OfferWayBack(
            ended,
            Ordered with { SettlesWithin = TimeSpan.FromHours(1) },
            previous: null,
            hasSession: true,
            Units.Start.AddMinutes(minutes));

        Assert.Equal((OfferVerdict.Closed, WayBack.NothingToRollBack), (decision.Verdict, decision.Reason));
    }

    [Fact]
    public void TakeBack_OfAWayThatIsNoneAnyMore_LeavesTheDeviceOutUnlessItHasNamedIt()
    {
        var offered = DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: true, Units.Start).Next;
        var named = Units.Take(offered, Units.Report(offered.Desired.Generation, ChangeStep.Delivered, 1, "boot-2"));

        var left = DeviceChanges.TakeBack(offered, Units.Rollout(), WayBack.FirstRetry, WayBack.NoWayBack, Units.Start);
        var again = DeviceChanges.OfferWayBack(left.Next, Ordered, Previous, hasSession: true, Units.Start);
        var goesOn = DeviceChanges.TakeBack(named, Units.Rollout(), WayBack.FirstRetry, WayBack.NoWayBack, Units.Start);
        var recorded = left.Next with { LastChange = left.Next.LastChange! with { Outcome = ChangeOutcome.Withdrawn } };
        var ofEarlierVersion = DeviceChanges.OfferWayBack(recorded, Ordered, Previous, hasSession: true, Units.Start);

        // Skipped, and not withdrawn: who waits again would be answered with the same end for ever.
        Assert.Equal((ChangeOutcome.Skipped, WayBack.NoWayBack), (left.Outcome, left.Reason));
        Assert.True(left.Next.Desired.OrdersNothing);
        Assert.Equal((ChangeOutcome.Skipped, WayBack.NoWayBack, true), (again.Outcome, again.Reason, again.Events.IsEmpty));
        Assert.Equal((OfferVerdict.InProgress, true), (goesOn.Verdict, goesOn.Events.IsEmpty));
        Assert.Equal((ChangeOutcome.Skipped, WayBack.NoWayBack), (ofEarlierVersion.Outcome, ofEarlierVersion.Reason));
    }

    [Fact]
    public void OfferWayBack_OfADeviceThatIsBusyOrAway_Waits()
    {
        var busy = DeviceChanges.Offer(Updated, Units.Offer("summer", new string('3', 64)), hasSession: true, Units.Start).Next;

        Assert.Equal(OfferVerdict.Busy, DeviceChanges.OfferWayBack(busy, Ordered, Previous, hasSession: true, Units.Start).Verdict);
        Assert.Equal(OfferVerdict.Offline, DeviceChanges.OfferWayBack(Updated, Ordered, Previous, hasSession: false, Units.Start).Verdict);
    }
}
