using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>A device that is asked to give up an offer of a cancelled rollout: it does, or goes on (rollouts.md 21).</summary>
public sealed class DeviceRecallTests
{
    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));
    private static readonly DateTimeOffset Later = Units.Start + TimeSpan.FromMinutes(2);
    private static readonly ChangeClosed GivenUp =
        new(Units.Rollout(), 1, ChangeOutcome.Withdrawn, OfferHandover.CancelledReason);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Recall_OfAChangeInProgress_OrdersNothingOnceAndLeavesItInProgress(bool isDelivered)
    {
        var offered = isDelivered ? Downloading() : Units.Offered();

        var decision = Recall(offered);
        var again = Recall(decision.Next);

        Assert.Equal(new ChangeRecalled(Units.Rollout(), 1, 2), Assert.Single(decision.Events));
        Assert.Equal((OfferVerdict.InProgress, OfferVerdict.InProgress), (decision.Verdict, again.Verdict));
        Assert.Equal(new DesiredState(2, null, null), decision.Next.Desired);
        Assert.Equal(offered.Change! with { RecalledBy = 2 }, decision.Next.Change);
        Assert.Empty(again.Events);
    }

    [Fact]
    public void Recall_OfWhatIsNotInProgress_RecallsNothing()
    {
        var another = DeviceChanges.Recall(Downloading(), Units.Rollout("summer"), 0, Timers, Later);
        var anotherAttempt = DeviceChanges.Recall(Downloading(), Units.Rollout(), WayBack.FirstRetry, Timers, Later);
        var over = DeviceChanges.Recall(Downloading(), Units.Rollout(), 0, Timers, Units.Start + Timers.InProgressMax);

        Assert.Equal((OfferVerdict.Closed, "NEVER_OFFERED"), (another.Verdict, another.Reason));
        Assert.Equal((OfferVerdict.InProgress, true), (anotherAttempt.Verdict, anotherAttempt.Events.IsEmpty));
        Assert.Equal(ChangeOutcome.TimedOut, Assert.IsType<ChangeClosed>(Assert.Single(over.Events)).Outcome);
    }

    [Fact]
    public void Report_OfTheNewerGeneration_GivesTheChangeUp()
    {
        var decision = DeviceMessages.TakeReport(Recalled(), Units.Report(2, ChangeStep.Delivered, 2), Later);

        Assert.Equal(GivenUp, Assert.Single(decision.Events));
        Assert.Null(decision.Next.Change);
        Assert.Equal((new DesiredState(2, null, null), 2L), (decision.Next.Desired, decision.Next.GenerationReached));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hello_ThatNamesTheNewerGeneration_GivesTheChangeUpAndDeliversNothing(bool isDelivered)
    {
        var recalled = Recall(isDelivered ? Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Delivered, 1)) : Units.Offered()).Next;

        var decision = TakeHello(recalled, Units.Hello("boot-1", 2, generation: 2));

        Assert.Equal(GivenUp, Assert.Single(decision.Events.OfType<ChangeClosed>()));
        Assert.Empty(decision.Events.OfType<ChangeDelivered>());
        Assert.Equal(new DesiredState(2, null, null), decision.Next.Desired);
    }

    [Fact]
    public void Messages_OfTheOldGeneration_AreTakenAsBefore()
    {
        var undelivered = Recall(Units.Offered()).Next;

        var delivered = TakeHello(undelivered, Units.Hello("boot-1", 2, generation: 1));
        var progressed = DeviceMessages.TakeReport(delivered.Next, Units.Report(1, ChangeStep.Verifying, 1), Later);
        var failed = DeviceMessages.TakeReport(
            progressed.Next, Units.Report(1, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Failed), Later);

        Assert.Single(delivered.Events.OfType<ChangeDelivered>());
        Assert.Equal((ChangeStep.Verifying, 2L), (progressed.Next.Change!.Step, progressed.Next.Change.RecalledBy));
        Assert.Equal(ChangeOutcome.Failed, Assert.IsType<ChangeClosed>(Assert.Single(failed.Events)).Outcome);
        Assert.Equal(new DesiredState(2, null, null), failed.Next.Desired);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Boot_IntoTheTarget_SucceedsWhateverGenerationItNames(long generation)
    {
        var installing = Units.Take(Recalled(), Units.Report(1, ChangeStep.Rebooting, 2));

        var decision = TakeHello(installing, Units.Hello("boot-2", 1, Units.NewDigest, generation));

        Assert.Equal(
            new ChangeClosed(Units.Rollout(), 1, ChangeOutcome.Succeeded, ""), Assert.Single(decision.Events.OfType<ChangeClosed>()));
        Assert.Equal((1, 2L), (decision.Next.Installs, decision.Next.Desired.Generation));
    }

    [Fact]
    public void Boot_IntoAnotherImageWhileItInstalls_Fails()
    {
        var installing = Units.Take(Recalled(), Units.Report(1, ChangeStep.Installing, 2));

        var decision = TakeHello(installing, Units.Hello("boot-2", 1, generation: 2));

        Assert.Equal(DeviceChanges.RunsAnotherImage, Assert.Single(decision.Events.OfType<ChangeClosed>()).Reason);
    }

    [Fact]
    public void Hello_OfTheBootThatInstalls_IsNoAnswer()
    {
        var installing = Units.Take(Recalled(), Units.Report(1, ChangeStep.Installing, 2));

        var seen = TakeHello(installing, Units.Hello("boot-1", 2, generation: 2)).Next;
        var booted = TakeHello(seen, Units.Hello("boot-2", 1, Units.NewDigest, 2));
        var unknown = TakeHello(seen, Units.Hello("boot-2", 1, "", 2));
        var stopped = DeviceMessages.TakeReport(seen, Units.Report(2, ChangeStep.Delivered, 3), Later);

        Assert.True(seen.Change!.IsRecalled);
        Assert.Equal(ChangeOutcome.Succeeded, booted.Next.LastChange!.Outcome);
        Assert.Equal(GivenUp, Assert.Single(unknown.Events.OfType<ChangeClosed>())); // what it runs is not known
        Assert.Equal(GivenUp, Assert.Single(stopped.Events));
    }

    [Theory]
    [InlineData(ChangeStep.Downloading)]
    [InlineData(ChangeStep.Installing)]
    public void Hello_ThatIsNoAnswer_HasNotReachedTheNewerGeneration(ChangeStep step)
    {
        var working = Units.Take(Recalled(), Units.Report(1, step, 2));

        var seen = TakeHello(working, Units.Hello("boot-1", 2, generation: 2)).Next;
        var over = DeviceChanges.Expire(seen, Units.Rollout(), 0, Timers, Units.Start + Timers.InProgressMax).Next;

        // It may still boot into the image: a way back waits for it.
        Assert.Equal(1, seen.GenerationReached);
        Assert.NotNull(WayBack.SettlesAt(over, Units.Rollout(), TimeSpan.FromHours(1), Units.Start + Timers.InProgressMax));
    }

    [Theory]
    [InlineData("boot-1")] // the boot in which it works: what it has seen
    [InlineData("boot-2")] // of an image an inventory says nothing at all
    public void Inventory_OfADeviceThatWorksOnAnImage_HasNotReachedTheNewerGeneration(string boot)
    {
        var inventory = new ObservedInventory(Units.From(boot, 1), []) { Generation = 2 };

        var seen = DeviceMessages.TakeInventory(Recalled(), inventory, PolicySet.Empty, Later).Next;
        var over = DeviceChanges.Expire(seen, Units.Rollout(), 0, Timers, Units.Start + Timers.InProgressMax).Next;

        Assert.Equal((true, 1L), (seen.Change!.IsRecalled, seen.GenerationReached));
        Assert.NotNull(WayBack.SettlesAt(over, Units.Rollout(), TimeSpan.FromHours(1), Units.Start + Timers.InProgressMax));
    }

    [Fact]
    public void Report_OfAStepOfTheNewerGeneration_IsNoAnswer()
    {
        var decision = DeviceMessages.TakeReport(Recalled(), Units.Report(2, ChangeStep.Installing, 2), Later);

        Assert.IsType<LateReportIgnored>(Assert.Single(decision.Events));
        Assert.Equal((true, 1L), (decision.Next.Change!.IsRecalled, decision.Next.GenerationReached));
    }

    [Fact]
    public void Report_ThatRefusesTheNewerGeneration_LeavesTheChangeInProgress()
    {
        var refusal = Units.Report(2, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Rejected) with { Reason = "flashing" };

        var decision = DeviceMessages.TakeReport(Recalled(), refusal, Later);
        var refused = decision.Next;
        var asked = Recall(refused);
        var seen = TakeHello(refused, Units.Hello("boot-1", 2, generation: 2));
        var booted = TakeHello(refused, Units.Hello("boot-2", 1, Units.NewDigest, 2));
        var relented = DeviceMessages.TakeReport(refused, Units.Report(2, ChangeStep.Delivered, 3), Later);
        var over = DeviceChanges.Expire(refused, Units.Rollout(), 0, Timers, Units.Start + Timers.InProgressMax);

        Assert.Equal(new ChangeRecallRefused(Units.Rollout(), 1, "flashing"), Assert.Single(decision.Events));
        Assert.Equal((false, 1L), (refused.Change!.IsRecalled, refused.GenerationReached));
        Assert.Empty(asked.Events);
        Assert.NotNull(seen.Next.Change);
        Assert.Equal(ChangeOutcome.Succeeded, booted.Next.LastChange!.Outcome);
        Assert.Equal(GivenUp, Assert.Single(relented.Events));
        Assert.Equal(new DesiredState(3, null, null), over.Next.Desired); // the end is another order than the one that it refused
        Assert.NotNull(WayBack.SettlesAt(over.Next, Units.Rollout(), TimeSpan.FromHours(1), Units.Start + Timers.InProgressMax));
    }

    [Fact]
    public void Device_ThatGaveUpAndBootsIntoTheImageAllTheSame_ReopensNothing()
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var offered = DeviceChanges.Offer(updated, Units.Offer("summer", new string('3', 64)), hasSession: true, Units.Start).Next;
        var recalled = DeviceChanges.Recall(offered, Units.Rollout("summer"), 0, Timers, Later).Next;
        var gaveUp = TakeHello(recalled, Units.Hello("boot-2", 2, Units.NewDigest, 3)).Next;

        var late = DeviceMessages.TakeReport(gaveUp, Units.Report(2, ChangeStep.Rebooting, 1, "boot-2"), Later);
        var booted = TakeHello(late.Next, Units.Hello("boot-3", 1, new string('3', 64), 3));
        var another = TakeHello(late.Next, Units.Hello("boot-3", 1, Units.OldDigest, 3));

        Assert.Equal(ChangeOutcome.Withdrawn, gaveUp.LastChange!.Outcome);
        Assert.IsType<LateReportIgnored>(Assert.Single(late.Events));
        Assert.Empty(booted.Events.OfType<ChangeClosed>());

        // What it ran before it is what it must run still.
        Assert.Equal(Units.Rollout(), Assert.Single(another.Events.OfType<ChangeClosed>()).Rollout);
    }

    [Fact]
    public void Offer_OfAnotherRollout_WaitsUntilTheDeviceHasAnswered()
    {
        var recalled = Recalled();
        var gaveUp = Units.Take(recalled, Units.Report(2, ChangeStep.Delivered, 2));

        var busy = DeviceChanges.Offer(recalled, Units.Offer("summer"), OfferHandover.Of(Units.Offered()), hasSession: true, Later);
        var made = DeviceChanges.Offer(gaveUp, Units.Offer("summer"), hasSession: true, Later);
        var same = DeviceChanges.Offer(gaveUp, Units.Offer(), hasSession: true, Later);

        Assert.Equal(OfferVerdict.Busy, busy.Verdict);
        Assert.Equal(3, made.Next.Desired.Generation);
        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Withdrawn), (same.Verdict, same.Outcome));
    }

    [Fact]
    public void Timer_OfARecalledChange_RunsOnAndKeepsTheNewerGeneration()
    {
        var end = Units.Start + Timers.InProgressMax;
        var over = DeviceChanges.Expire(Recalled(), Units.Rollout(), 0, Timers, end);

        Assert.Equal(ChangeOutcome.TimedOut, Assert.IsType<ChangeClosed>(Assert.Single(over.Events)).Outcome);
        Assert.Equal(new DesiredState(2, null, null), over.Next.Desired);
        Assert.NotNull(WayBack.SettlesAt(over.Next, Units.Rollout(), TimeSpan.FromHours(1), end));
    }

    [Theory]
    [InlineData(false, TimeoutPolicy.Fail)]
    [InlineData(true, TimeoutPolicy.Fail)]
    [InlineData(true, TimeoutPolicy.LeaveOut)]
    public void Answer_BehindTheTimersEnd_IsJudgedAsTheOneBeforeIt(bool isRecalled, TimeoutPolicy policy)
    {
        var end = Units.Start + Timers.InProgressMax;
        var working = isRecalled ? Recalled() : Downloading();
        var over = DeviceChanges.Expire(working, Units.Rollout(), 0, Timers with { InProgressPolicy = policy }, end).Next;

        var seen = TakeHello(over, Units.Hello("boot-1", 2, generation: 2)).Next;
        var inventory = new ObservedInventory(Units.From("boot-1", 1), []) { Generation = 2 };
        var read = DeviceMessages.TakeInventory(over, inventory, PolicySet.Empty, Later).Next;
        var said = DeviceMessages.TakeReport(seen, Units.Report(2, ChangeStep.Delivered, 2), Later).Next;
        var booted = TakeHello(seen, Units.Hello("boot-2", 1, generation: 2)).Next;

        // Who names in the boot in which it works what it has seen may boot into the image all the same.
        Assert.All([over, seen, read], device => Assert.Equal((1L, end.AddHours(1)), (device.GenerationReached, SettlesAt(device))));
        Assert.All([said, booted], device => Assert.Equal((2L, null), (device.GenerationReached, SettlesAt(device))));

        DateTimeOffset? SettlesAt(Device device) => WayBack.SettlesAt(device, Units.Rollout(), TimeSpan.FromHours(1), end);
    }

    /// <summary>It never said that it works on it, but that it does not give it up: in that boot its hello is no answer.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Refusal_OfADeviceThatOnlyHadTheOffer_SaysThatItWorksOnIt(bool isDelivered)
    {
        var offered = isDelivered ? Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Delivered, 1)) : Units.Offered();
        var no = Units.Report(2, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Rejected);
        var refused = Units.Take(Recall(offered).Next, no);
        var end = Later + Timers.InProgressMax;
        var over = DeviceChanges.Expire(refused, Units.Rollout(), 0, Timers, end).Next;

        var seen = TakeHello(over, Units.Hello("boot-1", 3, generation: 2)).Next;
        var said = DeviceMessages.TakeReport(seen, Units.Report(2, ChangeStep.Delivered, 4), Later).Next;
        var booted = TakeHello(seen, Units.Hello("boot-2", 1, generation: 2)).Next;

        Assert.All([over, seen], device => Assert.Equal((1L, end.AddHours(1)), (device.LastChange!.Generation, SettlesAt(device))));
        Assert.All([said, booted], device => Assert.Equal((2L, null), (device.GenerationReached, SettlesAt(device))));

        DateTimeOffset? SettlesAt(Device device) => WayBack.SettlesAt(device, Units.Rollout(), TimeSpan.FromHours(1), end);
    }

    [Fact]
    public void Hello_ThatNamesAnOfferBehindTheTimersEnd_DeliversIt()
    {
        var over = DeviceChanges.Expire(Downloading(), Units.Rollout(), 0, Timers, Units.Start + Timers.InProgressMax).Next;
        var again = DeviceChanges.Offer(over, Units.Offer() with { Retry = 1 }, hasSession: true, Later).Next;

        var named = TakeHello(again, Units.Hello("boot-1", 2, generation: 3)).Next;

        Assert.Equal((3L, Later), (named.GenerationReached, named.Change!.DeliveredAt));
    }

    [Fact]
    public void WayBack_OfADeviceThatGaveUp_IsSettledAtOnce()
    {
        var refusal = Units.Report(2, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Rejected) with { Reason = "flashing" };
        var gaveUp = Units.Take(Recalled(), Units.Report(2, ChangeStep.Delivered, 2));
        var relented = Units.Take(Units.Take(Recalled(), refusal), Units.Report(2, ChangeStep.Delivered, 3));

        var offer = Units.Offer() with { Retry = WayBack.FirstRetry, SettlesWithin = TimeSpan.FromHours(1) };
        Assert.All([gaveUp, relented], device =>
        {
            var decision = DeviceChanges.OfferWayBack(device, offer, previous: null, hasSession: true, Later);
            Assert.Equal((ChangeOutcome.Skipped, WayBack.NothingToRollBack), (decision.Outcome, decision.Reason));
        });
    }

    [Fact]
    public void TakeBack_OfWhatIsNotDelivered_EndsItAtOnceAndOfTheRestNothing()
    {
        var undelivered = DeviceChanges.TakeBack(Recall(Units.Offered()).Next, Units.Rollout(), 0, WayBack.Ordered, Later);
        var delivered = DeviceChanges.TakeBack(Recalled(), Units.Rollout(), 0, WayBack.Ordered, Later);

        Assert.Equal(WayBack.Ordered, Assert.IsType<ChangeClosed>(Assert.Single(undelivered.Events)).Reason);
        Assert.Equal(new DesiredState(2, null, null), undelivered.Next.Desired);
        Assert.Equal((OfferVerdict.InProgress, true), (delivered.Verdict, delivered.Events.IsEmpty));
    }

    /// <summary>Whatever for: the order may be late, or its share behind the device.</summary>
    [Theory]
    [InlineData(OfferHandover.CancelledReason)]
    [InlineData(WayBack.Ordered)]
    [InlineData(WayBack.NoWayBack)]
    public void TakeBack_OfAnotherAttempt_LeavesTheOfferAndSaysWhichItIs(string reason)
    {
        var offer = Units.Offer() with { Retry = 1 };
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), offer, hasSession: true, Later).Next;

        var before = DeviceChanges.TakeBack(offered, Units.Rollout(), 0, reason, Later);
        var behind = DeviceChanges.TakeBack(offered, Units.Rollout(), WayBack.FirstRetry, reason, Later);

        Assert.All([before, behind], decision =>
        {
            Assert.Equal((OfferVerdict.InProgress, 1, true), (decision.Verdict, decision.Retry, decision.Events.IsEmpty));
            Assert.Same(offered, decision.Next);
        });
        Assert.IsType<ChangeClosed>(Assert.Single(DeviceChanges.TakeBack(offered, Units.Rollout(), 1, reason, Later).Events));
    }

    [Fact]
    public void Device_ThatLeavesServiceWhileItIsAsked_LeavesTheRollout()
    {
        var quarantined = DeviceLifecycle.Quarantine(Recalled(), "noisy", Later);
        var decommissioned = DeviceLifecycle.BeginDecommission(Recalled(), Units.Command, Later);

        Assert.All([quarantined, decommissioned], decision =>
        {
            Assert.Equal(ChangeOutcome.Removed, Assert.Single(decision.Events.OfType<ChangeClosed>()).Outcome);
            Assert.Equal((null, 2L), (decision.Next.Change, decision.Next.Desired.Generation));
        });
    }

    [Theory]
    [InlineData("no", 1, ChangeOutcome.Succeeded)]
    [InlineData("no", 2, ChangeOutcome.Succeeded)]
    [InlineData("yes", 1, ChangeOutcome.Failed)]
    [InlineData("yes", 2, ChangeOutcome.Withdrawn)]
    [InlineData("yes", 0, ChangeOutcome.Unspecified)]
    public void Inventory_OfADeviceThatIsAsked_EndsTheChangeByWhatItReports(string ssh, long generation, ChangeOutcome expected)
    {
        var offer = new ChangeOffer(Units.Rollout(), 1, OsTarget.None, "", []) { Settings = [new DeviceSetting("ssh", "no")] };
        var offered = DeviceChanges.Offer(Units.InState(DeviceState.InService), offer, hasSession: true, Units.Start).Next;
        var inventory = new ObservedInventory(Units.From("boot-1", 1), [new DeviceSetting("ssh", ssh)]) { Generation = generation };

        var decision = DeviceMessages.TakeInventory(Recall(offered).Next, inventory, PolicySet.Empty, Later);

        Assert.Equal(expected, decision.Next.LastChange?.Outcome ?? ChangeOutcome.Unspecified);
    }

    [Fact]
    public void Settings_GivenUpHalfSet_DoNotReopenTheSuccessBeforeThem()
    {
        var set = TakeInventory(OfferSsh(Units.InState(DeviceState.InService), "first", "no"), 1, 1, "no");
        var asked = DeviceChanges.Recall(OfferSsh(set, "second", "maybe"), Units.Rollout("second"), 0, Timers, Later).Next;

        var givenUp = Units.Take(asked, Units.Report(asked.Desired.Generation, ChangeStep.Delivered, 1));
        var halfSet = TakeInventory(givenUp, 2, asked.Desired.Generation, "half");

        Assert.Equal(ChangeOutcome.Succeeded, set.LastChange?.Outcome);
        Assert.Equal(ChangeOutcome.Withdrawn, givenUp.LastChange?.Outcome);
        Assert.All(halfSet.EarlierChanges, change => Assert.Equal(ChangeOutcome.Succeeded, change.Outcome));
    }

    private static Device OfferSsh(Device device, string rollout, string value)
    {
        var offer = new ChangeOffer(Units.Rollout(rollout), 1, OsTarget.None, "", []) { Settings = [new DeviceSetting("ssh", value)] };
        return DeviceChanges.Offer(device, offer, hasSession: true, Units.Start).Next;
    }

    private static Device TakeInventory(Device device, long sequence, long generation, string ssh)
    {
        var inventory = new ObservedInventory(Units.From("boot-1", sequence), [new DeviceSetting("ssh", ssh)]) { Generation = generation };
        return DeviceMessages.TakeInventory(device, inventory, PolicySet.Empty, Later).Next;
    }

    private static Device Downloading() => Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Downloading, 1));

    private static Device Recalled() => Recall(Downloading()).Next;

    private static OfferDecision Recall(Device device) => DeviceChanges.Recall(device, Units.Rollout(), 0, Timers, Later);

    private static Decision<Device> TakeHello(Device device, ObservedHello hello) =>
        DeviceMessages.TakeHello(device, hello, PolicySet.Empty, Later);
}
