using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>Steps beside what other rollouts bring to the same device.</summary>
public sealed partial class StepPathTests
{
    /// <summary>A step is no regression of the success before it: it was ordered.</summary>
    [Fact]
    public void A_step_leaves_the_success_of_an_older_rollout_in_force()
    {
        var older = new string('4', 64);
        var winter = Units.Offer("winter", older) with { Target = new OsTarget(older, "12.0.5", 10, [1]) };
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), winter, hasSession: true, Units.Start).Next;
        var updated = Boot(offered, "boot-2", older, "12.0.5");

        var between = Boot(Boot(Offer(updated).Next, "boot-3", s_first, "12.5"), "boot-4", s_first, "12.5");

        Assert.Equal(ChangeOutcome.Succeeded, between.EarlierChanges.Single().Outcome);
        Assert.Equal(ChangeOutcome.StepTaken, between.LastChange!.Outcome);
    }

    /// <summary>
    /// Of each rollout the device remembers the last alone: an offer that went back behind a step does not undo the step.
    /// </summary>
    [Theory]
    [InlineData(0, OfferHandover.Reason)]
    [InlineData(0, OfferHandover.CancelledReason)]
    [InlineData(0, WayBack.Ordered)]
    [InlineData(1, OfferHandover.Reason)]
    public void An_offer_that_goes_back_behind_a_step_leaves_the_success_of_an_older_rollout_in_force(int retry, string reason)
    {
        var older = new string('4', 64);
        var winter = Units.Offer("winter", older) with { Target = new OsTarget(older, "12.0.5", 10, [1]) };
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), winter, hasSession: true, Units.Start).Next;
        var next = Offer(Boot(Offer(Boot(offered, "boot-2", older, "12.0.5")).Next, "boot-3", s_first, "12.5")).Next;
        if (retry > 0)
        {
            var failed = Units.Take(
                next, Units.Report(next.Change!.Generation, ChangeStep.Unspecified, 9, "boot-3", ChangeOutcome.Failed));
            next = Offer(failed, s_offer with { Retry = retry }).Next;
        }

        var back = DeviceChanges.TakeBack(next, Units.Rollout(), retry, reason, Units.Start).Next;
        var rebooted = Boot(back, "boot-4", s_first, "12.5");

        Assert.Equal((ChangeOutcome.Withdrawn, true), (back.LastChange!.Outcome, back.LastChange.HasStepped));
        Assert.Equal(ChangeOutcome.Succeeded, rebooted.EarlierChanges.Single().Outcome);
    }

    /// <summary>Nobody ordered that downgrade: who took a step is beyond the older rollout, also behind an offer that went back.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_older_rollout_that_is_superseded_does_not_come_over_a_step(bool goesBack)
    {
        var newer = s_offer with { Rank = new ChangeRank(0, Units.Start) { SupersedesOlder = true } };
        var older = Units.Offer("winter", new string('4', 64)) with
        {
            Rank = new ChangeRank(0, Units.Start.AddDays(-1)),
        };
        var device = Boot(Offer(Units.InState(DeviceState.InService), newer).Next, "boot-2", s_first, "12.5");
        if (goesBack)
        {
            device = DeviceChanges.TakeBack(Offer(device, newer).Next, Units.Rollout(), 0, OfferHandover.Reason, Units.Start).Next;
        }

        AssertSkipped(DeviceChanges.Offer(device, older, hasSession: true, Units.Start), DeviceChanges.Superseded);
    }

    /// <summary>What another rollout brought between two steps is what the device has to be, also behind an offer that went back.</summary>
    [Fact]
    public void A_success_of_another_rollout_between_two_steps_is_taken_back_when_the_device_falls_back()
    {
        var between = Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5");
        var other = new string('4', 64);
        var fix = Units.Offer("fix", other) with { Target = new OsTarget(other, "12.6", 10, [1]) };
        var @fixed = Boot(DeviceChanges.Offer(between, fix, hasSession: true, Units.Start).Next, "boot-3", other, "12.6");
        var back = DeviceChanges.TakeBack(Offer(@fixed).Next, Units.Rollout(), 0, OfferHandover.Reason, Units.Start).Next;

        var same = Boot(back, "boot-4", other, "12.6");
        var fallen = Boot(same, "boot-5", s_first, "12.5");

        Assert.Equal(ChangeOutcome.Succeeded, same.EarlierChanges.Single().Outcome);
        Assert.Equal(
            (ChangeOutcome.Failed, DeviceChanges.RunsAnotherImage),
            (fallen.EarlierChanges.Single().Outcome, fallen.EarlierChanges.Single().Reason));
    }

    /// <summary>As operators do who repair a step that failed.</summary>
    [Fact]
    public void A_step_that_another_rollout_brought_is_not_taken_back_with_this_one()
    {
        var offered = Offer(Units.InState(DeviceState.InService)).Next;
        var failed = Units.Take(
            offered, Units.Report(offered.Change!.Generation, ChangeStep.Unspecified, 1, "boot-1", ChangeOutcome.Failed));
        var repair = Units.Offer("repair", s_first) with { Target = new OsTarget(s_first, "12.5", 10, [1]) };
        _sequence = 1;
        var repaired = Boot(DeviceChanges.Offer(failed, repair, hasSession: true, Units.Start).Next, "boot-2", s_first, "12.5");

        Assert.Equal(ChangeOutcome.Succeeded, repaired.LastChange!.Outcome);
        Assert.Equal(("", WayBack.NothingToRollBack), WayBack.Find(repaired, Units.Rollout(), Units.NewDigest, s_path));
        Assert.Equal(s_first, Offer(repaired, s_offer with { Retry = 1 }).Next.Change!.PreviousDigest);
    }
}
