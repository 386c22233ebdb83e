using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Tests.Devices;

public sealed class DeviceChangesTests
{
    public static TheoryData<DeviceState, ChangeOutcome> Offers()
    {
        var offers = new TheoryData<DeviceState, ChangeOutcome>();
        foreach (var state in Units.States)
        {
            offers.Add(state, state switch
            {
                DeviceState.InService => ChangeOutcome.Unspecified,
                DeviceState.Expected or DeviceState.Enrolling => ChangeOutcome.Skipped,
                DeviceState.Quarantined or DeviceState.Decommissioning or DeviceState.Decommissioned or DeviceState.Returned
                    or DeviceState.Withdrawn => ChangeOutcome.Removed,
                _ => throw new InvalidOperationException($"Decide what an offer does in state {state}."),
            });
        }

        return offers;
    }

    [Theory]
    [MemberData(nameof(Offers))]
    public void Offer_InEveryState_IsMadeOrClosed(DeviceState state, ChangeOutcome outcome)
    {
        var decision = DeviceChanges.Offer(Units.InState(state), Units.Offer(), hasSession: true, Units.Start);

        Assert.Equal(outcome, decision.Outcome);
        Assert.Equal(outcome == ChangeOutcome.Unspecified, decision.Events is [ChangeOffered { Generation: 1 }]);
    }

    [Theory]
    [InlineData("model", "MODEL_NOT_COMPATIBLE")]
    [InlineData("track", "TRACK_MISMATCH")]
    [InlineData("floor", "OS_BELOW_FLOOR")]
    [InlineData("same", "ALREADY_RUNNING_TARGET")]
    [InlineData("minimum", "OS_BELOW_MINIMUM")]
    [InlineData("step", "STEP_REQUIRED")]
    [InlineData("newer", "ROLLOUT_DOWNGRADE_NOT_APPROVED")]
    public void Offer_ThatDoesNotFit_IsSkipped(string fault, string reason)
    {
        var offer = Units.Offer();
        offer = fault switch
        {
            "model" => offer with { Models = ["Q6075"] },
            "track" => offer with { Track = "12.11" },
            "floor" => offer with { Target = offer.Target with { Version = "10.12" } },
            "minimum" => offer with { Conditions = new ImageConditions { MinFromVersion = "12.0.2" } },
            "newer" => offer with { Target = offer.Target with { Version = "12.0" }, KeepsNewer = true },
            "step" => offer with { Conditions = new ImageConditions { Steps = ["12.0.5"] } },
            _ => offer with { Target = offer.Target with { Digest = Units.OldDigest } },
        };

        var decision = DeviceChanges.Offer(Units.InState(DeviceState.InService), offer, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Skipped, reason), (decision.Verdict, decision.Outcome, decision.Reason));
        Assert.Empty(decision.Events);
    }

    /// <summary>What is no downgrade, or approved, or of a version that nobody can read, is offered.</summary>
    [Theory]
    [InlineData("12.0.1", true, "12.0.1")]
    [InlineData("12.1", true, "12.0.1")]
    [InlineData("12.0", false, "12.0.1")]
    [InlineData("12.0", true, "unread")]
    public void Offer_ToADeviceThatMayKeepNewer_IsMadeWhereItTakesNobodyBack(string target, bool keepsNewer, string running)
    {
        var offer = Units.Offer();
        offer = offer with { Target = offer.Target with { Version = target }, KeepsNewer = keepsNewer };
        var device = Units.InState(DeviceState.InService) with { Os = Units.Os("boot-1", version: running) };

        Assert.Equal(OfferVerdict.InProgress, DeviceChanges.Offer(device, offer, hasSession: true, Units.Start).Verdict);
    }

    [Fact]
    public void Offer_AcrossTracksWhenAllowed_MovesTheDeviceOnSuccess()
    {
        var offer = Units.Offer(track: "12.11") with { AllowTrackChange = true };
        var device = DeviceChanges.Offer(Units.InState(DeviceState.InService), offer, hasSession: true, Units.Start).Next;

        Assert.Equal("active", device.Track);
        Assert.Equal("12.11", Units.Take(device, Units.Hello("boot-2", 1, Units.NewDigest, 1)).Track);
    }

    [Fact]
    public void Offer_OfAnImageWithAFloor_RaisesTheDevicesOnSuccessOnly()
    {
        var offer = Units.Offer() with { Conditions = new ImageConditions { SecurityFloor = "12.1" } };
        var device = DeviceChanges.Offer(Units.InState(DeviceState.InService), offer, hasSession: true, Units.Start).Next;

        var failed = Units.Take(device, Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));
        Assert.Equal("11.0", failed.OsFloor);

        var updated = Units.Take(device, Units.Hello("boot-2", 1, Units.NewDigest, 1));
        Assert.Equal("12.1", updated.OsFloor);
        var older = Units.Offer("autumn", Units.OldDigest) with { Target = new OsTarget(Units.OldDigest, "12.0.1", 1000, [1]) };
        Assert.Equal("OS_BELOW_FLOOR", DeviceChanges.Offer(updated, older, hasSession: true, Units.Start).Reason);
    }

    [Fact]
    public void Offer_WithoutSessionOrWithAnotherChange_Waits()
    {
        var idle = Units.InState(DeviceState.InService);

        Assert.Equal(OfferVerdict.Offline, DeviceChanges.Offer(idle, Units.Offer(), hasSession: false, Units.Start).Verdict);
        Assert.Equal(OfferVerdict.Busy, DeviceChanges.Offer(Units.Offered(), Units.Offer("autumn"), hasSession: true, Units.Start).Verdict);
    }

    [Fact]
    public void Offer_Repeated_IsAnsweredWithWhatBecameOfIt()
    {
        var open = Units.Offered();
        var failed = Units.Take(open, Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));
        var next = DeviceChanges.Offer(failed, Units.Offer("autumn"), hasSession: true, Units.Start).Next;
        var both = Units.Take(next, Units.Hello("boot-2", 1, Units.NewDigest, next.Desired.Generation));

        Assert.Equal(OfferVerdict.InProgress, DeviceChanges.Offer(open, Units.Offer(), hasSession: false, Units.Start).Verdict);
        Assert.Equal(ChangeOutcome.Failed, DeviceChanges.Offer(failed, Units.Offer(), hasSession: true, Units.Start).Outcome);
        Assert.Equal(ChangeOutcome.Failed, DeviceChanges.Offer(both, Units.Offer(), hasSession: true, Units.Start).Outcome);
        Assert.Equal(ChangeOutcome.Succeeded, DeviceChanges.Offer(both, Units.Offer("autumn"), hasSession: true, Units.Start).Outcome);
    }

    [Fact]
    public void TakeHello_OfTheTargetInANewBoot_Succeeds()
    {
        var device = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));

        Assert.Equal(ChangeOutcome.Succeeded, device.LastChange?.Outcome);
        Assert.Null(device.Change);
        Assert.Equal(1, device.Installs);
        Assert.Equal(Units.NewDigest, device.Desired.Os?.Digest);
    }

    [Fact]
    public void TakeHello_OfTheTargetInTheSameBoot_IsNoSuccess()
    {
        var device = Units.Take(Units.Offered(), Units.Hello("boot-1", 2, Units.NewDigest, 1));

        Assert.NotNull(device.Change);
        Assert.Null(device.LastChange);
    }

    [Theory]
    [InlineData(ChangeStep.Delivered, false)]
    [InlineData(ChangeStep.Downloading, false)]
    [InlineData(ChangeStep.Verifying, false)]
    [InlineData(ChangeStep.Installing, true)]
    [InlineData(ChangeStep.Rebooting, true)]
    public void TakeHello_OfAnotherImageInANewBoot_FailsAfterInstallingOnly(ChangeStep step, bool fails)
    {
        var device = Units.Take(Units.Offered(), Units.Report(1, step, 1));

        device = Units.Take(device, Units.Hello("boot-2", 1, Units.OldDigest));

        Assert.Equal(fails, device.LastChange is { Outcome: ChangeOutcome.Failed, Reason: DeviceChanges.RunsAnotherImage });
        Assert.Equal(fails, device.Change is null);
    }

    [Fact]
    public void TakeHello_AfterARebootWhileDownloading_WaitsForTheRebootOfTheInstallation()
    {
        var device = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.OldDigest, 1));
        device = Units.Take(device, Units.Report(1, ChangeStep.Installing, 1, "boot-2"));

        var reconnected = Units.Take(device, Units.Hello("boot-2", 2, Units.OldDigest, 1));
        var rebooted = Units.Take(reconnected, Units.Hello("boot-3", 1, Units.NewDigest, 1));

        Assert.NotNull(reconnected.Change);
        Assert.Equal(ChangeOutcome.Succeeded, rebooted.LastChange?.Outcome);
    }

    [Fact]
    public void TakeHello_OfAnotherImageAfterASuccess_TakesItBack()
    {
        var device = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));

        var decision = DeviceMessages.TakeHello(
            device, Units.Hello("boot-3", 1, Units.OldDigest), Domain.Policies.PolicySet.Empty, Units.Start);

        Assert.Equal(ChangeOutcome.Failed, decision.Next.LastChange?.Outcome);
        Assert.Equal(ChangeOutcome.Failed, decision.Events.OfType<ChangeClosed>().Single().Outcome);
        Assert.Null(decision.Next.Desired.Os);
    }

    [Fact]
    public void TakeReport_OfTheFirstTime_IsTheDelivery()
    {
        var first = DeviceMessages.TakeReport(Units.Offered(), Units.Report(1, ChangeStep.Downloading, 1), Units.Start);
        var second = DeviceMessages.TakeReport(first.Next, Units.Report(1, ChangeStep.Downloading, 2), Units.Start.AddHours(1));

        Assert.Equal(new ChangeDelivered(Units.Rollout(), 1) { Step = ChangeStep.Downloading }, Assert.Single(first.Events));
        Assert.IsType<ChangeProgressed>(Assert.Single(second.Events));
        Assert.Equal(Units.Start, second.Next.Change?.DeliveredAt);
    }

    [Theory]
    [InlineData(ChangeOutcome.Failed)]
    [InlineData(ChangeOutcome.Rejected)]
    public void TakeReport_OfAnEnd_ClosesAndWithdraws(ChangeOutcome outcome)
    {
        var decision = DeviceMessages.TakeReport(
            Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: outcome), Units.Start);
        var late = DeviceMessages.TakeReport(decision.Next, Units.Report(1, ChangeStep.Installing, 2), Units.Start);

        Assert.Equal(outcome, Assert.IsType<ChangeClosed>(Assert.Single(decision.Events)).Outcome);
        Assert.Equal(new DesiredState(2, null, null), decision.Next.Desired);
        Assert.IsType<LateReportIgnored>(Assert.Single(late.Events));
    }

    [Fact]
    public void Expire_LooksAtTheTimerThatRuns()
    {
        var hour = TimeSpan.FromHours(1);
        var week = TimeSpan.FromDays(7);
        var timers = new ChangeTimers(hour, week);
        var offered = Units.Offered();
        var delivered = Units.Take(offered, Units.Report(1, ChangeStep.Downloading, 1));
        var rollout = Units.Rollout();

        Assert.Equal(OfferVerdict.InProgress, DeviceChanges.Expire(offered, rollout, 0, timers, Units.Start + hour).Verdict);
        Assert.Equal(ChangeOutcome.TimedOut, DeviceChanges.Expire(offered, rollout, 0, timers, Units.Start + week).Outcome);
        Assert.Equal(OfferVerdict.InProgress, DeviceChanges.Expire(delivered, rollout, 0, timers, Units.Start + hour / 2).Verdict);
        var over = DeviceChanges.Expire(delivered, rollout, 0, timers, Units.Start + hour);
        Assert.Equal(ChangeOutcome.TimedOut, over.Outcome);
        Assert.Null(over.Next.Desired.Os);
        Assert.Equal(ChangeOutcome.TimedOut, DeviceChanges.Expire(over.Next, rollout, 0, timers, Units.Start + week).Outcome);
        Assert.Equal(ChangeOutcome.Withdrawn, DeviceChanges.Expire(offered, Units.Rollout("never"), 0, timers, Units.Start).Outcome);
    }

    [Fact]
    public void CheckDownload_AllowsTheDesiredImageInServiceOnly()
    {
        var offered = Units.Offered();
        var failed = Units.Take(offered, Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));

        Assert.Null(DeviceAdmission.CheckDownload(offered, Units.Id, Units.Identity, Units.NewDigest, Units.Start));
        Assert.Equal("DOWNLOAD_NOT_ALLOWED", ReasonOf(offered, Units.OldDigest));
        Assert.Equal("DOWNLOAD_NOT_ALLOWED", ReasonOf(failed, Units.NewDigest));
        Assert.Equal("DEVICE_DECOMMISSIONED", ReasonOf(offered with { State = DeviceState.Decommissioned }, Units.NewDigest));
        Assert.Equal("DEVICE_NOT_EXPECTED", ReasonOf(null, Units.NewDigest));
    }

    private static string? ReasonOf(Device? device, string digest) =>
        DeviceAdmission.CheckDownload(device, Units.Id, Units.Identity, digest, Units.Start)?.Reason;
}
