using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>Whether a message with an offer may have left, and what becomes of an offer of which none has.</summary>
public sealed class OfferHandoverTests
{
    private static readonly DateTimeOffset Later = Units.Start + OfferHandover.WaitMax;

    [Theory]
    [InlineData("", false)] // nothing was sent
    [InlineData("s", true)]
    [InlineData("s1", false)]
    [InlineData("s1s2", false)]
    [InlineData("s1s", true)]
    [InlineData("s1s1", true)] // the same word twice
    [InlineData("ss2", true)] // of the first nothing is known
    [InlineData("ss2s3", true)]
    [InlineData("s2", true)] // a number that was not given yet
    [InlineData("s1s3", true)]
    public void MayHaveLeft_UnlessEachMessageWasReturned_IsTrue(string steps, bool expected)
    {
        var handover = OfferHandover.Of(Units.Offered())!;
        foreach (var step in steps)
        {
            handover = step == 's' ? handover.Send() : handover.Return(step - '0');
        }

        Assert.Equal(expected, handover.MayHaveLeft);
    }

    [Fact]
    public void IsSurelyHere_OfAnOfferThatIsNamedOverOrAnother_IsFalse()
    {
        var offered = Units.Offered();
        var handover = OfferHandover.Of(offered)!;
        var delivered = Units.Take(offered, Units.Report(1, ChangeStep.Downloading, 1));
        var ended = GiveBack(offered).Next;
        var another = DeviceChanges.Offer(ended, Units.Offer("summer"), hasSession: true, Units.Start).Next;

        Assert.True(handover.IsSurelyHere(offered));
        Assert.All([delivered, ended, another], device => Assert.False(handover.IsSurelyHere(device)));
        Assert.Null(OfferHandover.Of(delivered));
        Assert.Equal(Later, handover.DueAt);
    }

    [Fact]
    public void Offer_OfAnAttemptThatWentBack_IsMadeAgainUnderANewerGeneration()
    {
        var failed = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));
        var retried = DeviceChanges.Offer(failed, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start).Next;

        var back = GiveBack(retried);
        var again = DeviceChanges.Offer(back.Next, Units.Offer() with { Retry = 1 }, hasSession: true, Later);
        var late = DeviceChanges.Offer(back.Next, Units.Offer(), hasSession: true, Later);

        Assert.Equal(
            new ChangeClosed(Units.Rollout(), 3, ChangeOutcome.Withdrawn, OfferHandover.Reason) { Retry = 1 }, Assert.Single(back.Events));
        Assert.Equal(new DesiredState(4, null, null), back.Next.Desired);
        Assert.Equal(new ChangeOffered(Units.Rollout(), 1, 5, Units.NewDigest) { Retry = 1 }, Assert.Single(again.Events));
        Assert.Equal((OfferVerdict.Closed, 1), (late.Verdict, late.Retry)); // an attempt before it has ended
    }

    [Fact]
    public void Offer_OfAWayBackThatWentBack_IsMadeAgain()
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var order = Units.Offer() with { Retry = WayBack.FirstRetry };
        var previous = Units.Offer(digest: Units.OldDigest);
        var turned = DeviceChanges.OfferWayBack(updated, order, previous, hasSession: true, Units.Start).Next;

        var back = GiveBack(turned).Next;
        var again = DeviceChanges.OfferWayBack(back, order, previous, hasSession: true, Later);

        Assert.Equal(Units.OldDigest, Assert.IsType<ChangeOffered>(Assert.Single(again.Events)).TargetDigest);
    }

    [Fact]
    public void Offer_ThatWasTakenBackForAnotherReason_StaysClosed()
    {
        var revoked = DeviceChanges.TakeBack(Units.Offered(), Units.Rollout(), 0, "IMAGE_REVOKED", Units.Start).Next;
        var report = Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Rejected) with { Reason = OfferHandover.Reason };
        var rejected = Units.Take(Units.Offered(), report);

        Assert.All([revoked, rejected], device =>
            Assert.Equal(OfferVerdict.Closed, DeviceChanges.Offer(device, Units.Offer(), hasSession: true, Later).Verdict));
    }

    [Fact]
    public void Device_ThatInstallsAnOfferThatWentBack_IsJudgedByWhatItRuns()
    {
        var back = GiveBack(Units.Offered()).Next;

        var late = DeviceMessages.TakeReport(back, Units.Report(1, ChangeStep.Installing, 1), Later);
        var booted = Units.Take(late.Next, Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var again = DeviceChanges.Offer(booted, Units.Offer(), hasSession: true, Later);

        Assert.IsType<LateReportIgnored>(Assert.Single(late.Events));
        Assert.Null(booted.Change);
        Assert.Equal((ChangeOutcome.Skipped, "ALREADY_RUNNING_TARGET"), (again.Outcome, again.Reason));
    }

    [Fact]
    public void Device_ThatInstallsAnOfferThatWentBackAndWasMadeAgain_Succeeds()
    {
        var again = DeviceChanges.Offer(GiveBack(Units.Offered()).Next, Units.Offer(), hasSession: true, Later).Next;

        var late = DeviceMessages.TakeReport(again, Units.Report(1, ChangeStep.Rebooting, 1), Later);
        var booted = Units.Take(late.Next, Units.Hello("boot-2", 1, Units.NewDigest, 1));

        Assert.IsType<LateReportIgnored>(Assert.Single(late.Events));
        Assert.Equal((ChangeOutcome.Succeeded, 3L), (booted.LastChange!.Outcome, booted.LastChange.Generation));
    }

    [Theory]
    [InlineData(OfferHandover.Reason)]
    [InlineData(OfferHandover.CancelledReason)]
    public void AnImage_BeforeAnOfferThatWentBack_IsWhatTheDeviceMustRunStill(string reason)
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var offered = DeviceChanges.Offer(
            updated, Units.Offer("summer", new string('3', 64)), hasSession: true, Units.Start).Next;
        var back = DeviceChanges.TakeBack(offered, Units.Rollout("summer"), 0, reason, Later).Next;

        var decision = DeviceMessages.TakeHello(back, Units.Hello("boot-3", 1), PolicySet.Empty, Later);

        Assert.Equal(
            new ChangeClosed(Units.Rollout(), 1, ChangeOutcome.Failed, DeviceChanges.RunsAnotherImage),
            Assert.Single(decision.Events.OfType<ChangeClosed>()));
        Assert.Equal(ChangeOutcome.Failed, Assert.Single(decision.Next.EarlierChanges).Outcome);

        // Taken back too late: the device runs what was ordered last.
        var late = DeviceMessages.TakeHello(back, Units.Hello("boot-3", 1, new string('3', 64)), PolicySet.Empty, Later);
        Assert.Empty(late.Events.OfType<ChangeClosed>());
    }

    [Theory]
    [InlineData(OfferHandover.Reason)]
    [InlineData(OfferHandover.CancelledReason)]
    public void Settings_BeforeAnOfferThatWentBack_AreWhatTheDeviceMustHaveStill(string reason)
    {
        var offered = DeviceChanges.Offer(
            Units.InState(DeviceState.InService), Settings("ssh", "no"), hasSession: true, Units.Start).Next;
        var set = TakeInventory(offered, 1, "no").Next;
        var next = DeviceChanges.Offer(set, Settings("ftp", "yes"), hasSession: true, Units.Start).Next;
        var back = DeviceChanges.TakeBack(next, Units.Rollout("ftp"), 0, reason, Later).Next;

        var same = TakeInventory(back, 2, "no");
        var decision = TakeInventory(same.Next, 3, "yes");

        Assert.Empty(same.Events.OfType<ChangeClosed>());
        Assert.Equal(
            new ChangeClosed(Units.Rollout("ssh"), 1, ChangeOutcome.Failed, SettingsChanges.ReportsOthers),
            Assert.Single(decision.Events.OfType<ChangeClosed>()));
    }

    private static ChangeOffer Settings(string rollout, string value) =>
        new(Units.Rollout(rollout), 1, OsTarget.None, "", []) { Settings = [new DeviceSetting("ssh", value)] };

    private static Decision<Device> TakeInventory(Device device, long sequence, string ssh) => DeviceMessages.TakeInventory(
        device,
        new ObservedInventory(Units.From("boot-1", sequence), [new DeviceSetting("ssh", ssh)]),
        PolicySet.Empty,
        Later);

    private static OfferDecision GiveBack(Device device) =>
        DeviceChanges.TakeBack(device, Units.Rollout(), device.Change!.Retry, OfferHandover.Reason, Later);
}
