using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>Steps whose image is revoked: an offer that was taken back leaves nothing behind that was ordered.</summary>
public sealed partial class StepPathTests
{
    [Fact]
    public void A_step_that_is_revoked_is_taken_back_from_those_that_have_not_named_it()
    {
        var offered = Offer(Units.InState(DeviceState.InService)).Next;
        var left = TakeBackStep(offered);

        AssertSkipped(left, DeviceChanges.StepRevoked);
        Assert.Equal(
            new ChangeClosed(Units.Rollout(), 1, ChangeOutcome.Skipped, DeviceChanges.StepRevoked), Assert.Single(left.Events));
        Assert.True(left.Next.Desired.OrdersNothing);
        AssertSkipped(TakeBackStep(left.Next), DeviceChanges.StepRevoked);
        Assert.Empty(TakeBackStep(left.Next).Events);
        AssertSkipped(Offer(left.Next), DeviceChanges.StepRevoked);
        AssertSkipped(Offer(left.Next, s_offer with { Retry = 1 }), DeviceChanges.StepRevoked);

        // The order is late, or about something else.
        AssertInProgress(DeviceChanges.TakeBackStep(offered, Units.Rollout(), 0, s_second, Units.Start), s_first);
        AssertInProgress(DeviceChanges.TakeBackStep(offered, Units.Rollout(), 1, s_first, Units.Start), s_first);
        var second = Offer(Boot(offered, "boot-2", s_first, "12.5")).Next;
        AssertInProgress(TakeBackStep(second), s_second);
        var another = DeviceChanges.TakeBackStep(offered, Units.Rollout("summer"), 0, s_first, Units.Start);
        Assert.Equal("NEVER_OFFERED", another.Reason);
        var itself = DeviceChanges.Offer(
            Units.InState(DeviceState.InService), Units.Offer(digest: s_first), hasSession: true, Units.Start).Next;
        AssertInProgress(TakeBackStep(itself), s_first); // the image of a rollout of its own
    }

    /// <summary>Whichever of the two is committed first.</summary>
    [Fact]
    public void A_step_that_is_named_at_the_same_moment_is_taken_back_or_goes_on()
    {
        var offered = Offer(Units.InState(DeviceState.InService)).Next;

        var named = Units.Take(offered, Units.Report(1, ChangeStep.Delivered, 9, "boot-1"));
        AssertInProgress(TakeBackStep(named), s_first);
        Assert.Equal(ChangeOutcome.StepTaken, Boot(named, "boot-2", s_first, "12.5").LastChange!.Outcome);

        var tooLate = Units.Take(TakeBackStep(offered).Next, Units.Report(1, ChangeStep.Delivered, 9, "boot-1"));
        Assert.Equal((null, DeviceChanges.StepRevoked), (tooLate.Change, tooLate.LastChange!.Reason));
        Assert.Equal(DeviceChanges.StepRevoked, Boot(tooLate, "boot-2", s_first, "12.5").LastChange!.Reason);
    }

    /// <summary>What was recalled ends when the device answers, and what it has refused to give up with the change.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_that_is_revoked_is_not_taken_back_where_the_device_is_asked_to_give_it_up(bool refuses)
    {
        var recalled = DeviceChanges.Recall(
            Offer(Units.InState(DeviceState.InService)).Next, Units.Rollout(), 0, s_timers, Units.Start).Next;
        var device = refuses
            ? Units.Take(recalled, Units.Report(2, ChangeStep.Unspecified, 9, "boot-1", ChangeOutcome.Rejected))
            : recalled;

        var asked = TakeBackStep(device);

        AssertInProgress(asked, s_first);
        Assert.Equal((refuses, refuses), (device.Change!.DeliveredAt is not null, asked.Next.Change!.IsRecallRefused));
        var ofAnEarlierVersion = device with { Change = device.Change with { DeliveredAt = null } }; // to which a refusal delivered nothing
        AssertInProgress(TakeBackStep(ofAnEarlierVersion), s_first);
        var ended = refuses
            ? DeviceChanges.Expire(asked.Next, Units.Rollout(), 0, s_timers, Units.Start.AddDays(8)).Next
            : Units.Take(asked.Next, Units.Report(2, ChangeStep.Delivered, 9, "boot-1"));
        Assert.NotEqual(DeviceChanges.StepRevoked, ended.LastChange!.Reason);
        Assert.Null(ended.Change);
    }

    /// <summary>The step was not ordered any more: what an older rollout brought is what the device has to be.</summary>
    [Fact]
    public void A_revoked_step_hides_no_success_of_an_older_rollout()
    {
        var older = new string('4', 64);
        var winter = Units.Offer("winter", older) with { Target = new OsTarget(older, "12.0.5", 10, [1]) };
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), winter, hasSession: true, Units.Start).Next;
        var left = TakeBackStep(Offer(Boot(offered, "boot-2", older, "12.0.5")).Next).Next;

        var same = Boot(left, "boot-3", older, "12.0.5");
        var fallen = Boot(same, "boot-4", Units.OldDigest, "12.0.1");
        var late = Boot(same, "boot-4", s_first, "12.5"); // it had the step all the same

        Assert.Equal(DeviceChanges.StepRevoked, left.LastChange!.Reason);
        Assert.Equal(ChangeOutcome.Succeeded, same.EarlierChanges.Single().Outcome);
        Assert.Equal(ChangeOutcome.Failed, fallen.EarlierChanges.Single().Outcome);
        Assert.Equal(ChangeOutcome.Succeeded, late.EarlierChanges.Single().Outcome);
    }

    /// <summary>Nor one between two of its steps; and the step that was taken stays what was ordered.</summary>
    [Fact]
    public void A_revoked_step_leaves_the_step_before_it()
    {
        var between = Boot(Offer(Units.InState(DeviceState.InService)).Next, "boot-2", s_first, "12.5");

        var left = DeviceChanges.TakeBackStep(Offer(between).Next, Units.Rollout(), 0, s_second, Units.Start).Next;

        Assert.Equal((DeviceChanges.StepRevoked, true), (left.LastChange!.Reason, left.LastChange.HasStepped));
        Assert.Equal((Units.OldDigest, ""), WayBack.Find(left, Units.Rollout(), Units.NewDigest, s_path));
    }

    /// <summary>The newer rollout was not there, unless it took a step.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_revoked_step_shuts_no_older_rollout_out_unless_one_was_taken_before_it(bool hasStepped)
    {
        var newer = s_offer with { Rank = new ChangeRank(0, Units.Start) { SupersedesOlder = true } };
        var older = Units.Offer("winter", new string('4', 64)) with { Rank = new ChangeRank(0, Units.Start.AddDays(-1)) };
        var device = Units.InState(DeviceState.InService);
        device = hasStepped ? Boot(Offer(device, newer).Next, "boot-2", s_first, "12.5") : device;
        var left = DeviceChanges.TakeBackStep(
            Offer(device, newer).Next, Units.Rollout(), 0, hasStepped ? s_second : s_first, Units.Start);

        var decision = DeviceChanges.Offer(left.Next, older, hasSession: true, Units.Start);

        AssertSkipped(left, DeviceChanges.StepRevoked);
        Assert.Equal(hasStepped ? DeviceChanges.Superseded : "", decision.Reason ?? "");
        Assert.Equal(!hasStepped, decision.Next.Change is not null);
    }

    /// <summary>Who had it all the same is brought back, and who may have it is waited for.</summary>
    [Fact]
    public void A_revoked_step_that_the_device_took_all_the_same_is_taken_back_with_its_rollout()
    {
        var left = TakeBackStep(Offer(Units.InState(DeviceState.InService)).Next).Next;
        var late = Boot(left, "boot-2", s_first, "12.5");

        Assert.Equal((Units.OldDigest, ""), WayBack.Find(late, Units.Rollout(), Units.NewDigest, s_path));
        Assert.NotNull(WayBack.SettlesAt(left, Units.Rollout(), TimeSpan.FromHours(1), Units.Start));
    }

    /// <summary>A silo of an earlier version knows no images in an order to take back, and recorded an offer that comes again.</summary>
    [Fact]
    public void A_revoked_step_that_an_earlier_version_took_back_is_answered_as_left_out()
    {
        var offered = Offer(Units.InState(DeviceState.InService)).Next;
        var withdrawn = DeviceChanges.TakeBack(offered, Units.Rollout(), 0, DeviceChanges.StepRevoked, Units.Start);

        Assert.Equal(ChangeOutcome.Withdrawn, withdrawn.Next.LastChange!.Outcome);
        AssertSkipped(Offer(withdrawn.Next), DeviceChanges.StepRevoked);
    }

    private static OfferDecision TakeBackStep(Device device) =>
        DeviceChanges.TakeBackStep(device, Units.Rollout(), 0, s_first, Units.Start);

    private static void AssertInProgress(OfferDecision decision, string digest)
    {
        Assert.Equal(OfferVerdict.InProgress, decision.Verdict);
        Assert.Empty(decision.Events);
        Assert.Equal(digest, decision.Next.Change!.Target.Digest);
    }
}
