using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Devices;

/// <summary>A device that may begin to install at night only, and what its share knows of it.</summary>
public sealed class DeviceInstallsTests
{
    /// <summary>Units begin at noon, UTC.</summary>
    private static readonly ImmutableArray<OfferWindow> Nights = [new("0 22 * * *", TimeSpan.FromHours(4), "UTC")];

    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(2), TimeSpan.FromDays(7));

    private static readonly DateTimeOffset Night = Units.Start.AddHours(10);

    [Fact]
    public void Offer_WithInstallWindows_IsToldWithTheNextOnesUntilItIsRecalledOrEnds()
    {
        var offered = Offer();
        var verified = Report(offered, ChangeStep.Verifying, 1, Units.Start).Next;
        var recalled = DeviceChanges.Recall(verified, Units.Rollout(), 0, Timers, Units.Start).Next;
        var failed = DeviceMessages.TakeReport(
            verified, Units.Report(1, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Failed), Units.Start).Next;

        Assert.Equal(Night, DeviceChanges.InstallTimesOf(offered, Units.Start)!.Value[0].OpensAt);
        Assert.Equal(Night.AddHours(1), DeviceChanges.InstallTimesOf(verified, Night.AddHours(1))!.Value[0].OpensAt);
        Assert.Equal((false, true), (DeviceChanges.AwaitsInstall(offered), DeviceChanges.AwaitsInstall(verified)));
        Assert.All([recalled, failed, Units.Offered()], device =>
        {
            Assert.Null(DeviceChanges.InstallTimesOf(device, Units.Start));
            Assert.False(DeviceChanges.AwaitsInstall(device));
        });
    }

    [Theory]
    [InlineData(30, ChangeStep.Installing, InstallStart.InWindow)]
    [InlineData(-30, ChangeStep.Installing, InstallStart.OutsideWindow)]
    [InlineData(240, ChangeStep.Rebooting, InstallStart.OutsideWindow)] // the first instant behind it
    public void Report_ThatItInstalls_IsTakenAndSaysWhetherAWindowWasOpen(int minutes, ChangeStep step, InstallStart start)
    {
        var verified = Report(Offer(), ChangeStep.Verifying, 1, Units.Start).Next;
        var at = Night.AddMinutes(minutes);

        var installs = Report(verified, step, 2, at);
        var again = Report(installs.Next, ChangeStep.Rebooting, 3, at.AddMinutes(1));

        Assert.Equal(start, Assert.IsType<ChangeProgressed>(Assert.Single(installs.Events)).Install);
        Assert.Equal(InstallStart.None, Assert.IsType<ChangeProgressed>(Assert.Single(again.Events)).Install);
        Assert.Equal((at, at), (installs.Next.Change!.InstallsSince, again.Next.Change!.InstallsSince));
        Assert.False(DeviceChanges.AwaitsInstall(installs.Next));
    }

    [Fact]
    public void Report_OfAChangeWithoutInstallWindows_LeavesTheRecordAsItWas()
    {
        var installs = Report(Units.Offered(), ChangeStep.Installing, 1, Units.Start);

        Assert.Equal(InstallStart.None, Assert.IsType<ChangeDelivered>(Assert.Single(installs.Events)).Install);
        Assert.Null(installs.Next.Change!.InstallsSince);
    }

    [Fact]
    public void Expire_OfADeviceThatWaits_IsWhenTheWindowsWereOpenForItsTime()
    {
        var verified = Report(Offer(), ChangeStep.Verifying, 1, Units.Start).Next;
        var late = Report(verified, ChangeStep.Installing, 2, Night.AddHours(1)).Next;
        var early = Report(verified, ChangeStep.Installing, 2, Units.Start.AddHours(1)).Next;

        Assert.Equal((false, true), (IsOver(verified, Night.AddHours(2).AddTicks(-1)), IsOver(verified, Night.AddHours(2))));
        Assert.Equal((false, true), (IsOver(late, Night.AddHours(2).AddTicks(-1)), IsOver(late, Night.AddHours(2))));

        // It did not wait, and its time goes on by day.
        Assert.Equal((false, true), (IsOver(early, Units.Start.AddHours(3).AddTicks(-1)), IsOver(early, Units.Start.AddHours(3))));
    }

    [Fact]
    public void Share_ThatReadsTheFacts_HasTheSameDeadlineAsTheDevice()
    {
        var timers = Timers with { InstallWindows = Nights };
        var share = ShareRules.Freeze(Guid.Empty, 0, 1) with
        {
            Members = [MemberStatus.Offered],
            Open = [new OpenOffer(0, 1, IsConfirmed: true, Units.Start, Units.Start) { Generation = 4 }],
        };
        var at = Units.Start.AddHours(1);

        var begun = ShareInstalls.Begin(share, 0, 0, 4, ShareInstalls.SinceOf(InstallStart.OutsideWindow, at));
        var told = OfferAnswers.ConfirmAll(share, [new(share.Open[0] with { InstallsSince = at }, 0)], [0]);

        Assert.Equal((at, at), (begun.Open[0].InstallsSince, told.Open[0].InstallsSince));
        Assert.Equal(Units.Start.AddHours(3), timers.DeadlineOf(Units.Start, Units.Start, begun.Open[0].InstallsSince));
        Assert.Equal((1, 0, 1), Counted(share, timers));
        Assert.Equal((1, 1, 0), Counted(begun, timers));
        Assert.Same(share, ShareInstalls.Begin(share, 0, 0, 4, ShareInstalls.SinceOf(InstallStart.None, at)));
        Assert.Same(share, ShareInstalls.Begin(share, 0, 1, 4, at)); // of an attempt that it does not know
        Assert.Same(share, ShareInstalls.Begin(share, 0, 0, 3, at)); // of an offer that went back
        Assert.Same(begun, ShareInstalls.Begin(begun, 0, 0, 4, at.AddHours(1))); // never anew
        Assert.Equal(at, ShareRules.Confirm(begun, 0, 0, begun.Open[0] with { InstallsSince = null }, 0).Open[0].InstallsSince);
    }

    private static (int InProgress, int Installing, int AwaitingInstall) Counted(RolloutShare share, ChangeTimers timers)
    {
        var totals = Assert.Single(ShareCount.Totals(share, [0], [MemberReach.Online], 1, timers, Units.Start));
        var sum = totals.Plus(ShareTotals.Zero);
        return (sum.InProgress, sum.Installing, sum.AwaitingInstall);
    }

    [Fact]
    public void SettlesAt_OfADeviceThatWasTimedOut_CountsTimeInWhichItMayInstall()
    {
        var offered = Offer();
        var ended = Units.Start.AddDays(7);
        var undelivered = DeviceChanges.Expire(offered, Units.Rollout(), 0, Timers, ended).Next;

        Assert.Equal(
            ended.AddHours(11), WayBack.SettlesAt(undelivered, Units.Rollout(), TimeSpan.FromHours(1), ended, Nights));
        Assert.Equal(ended.AddHours(1), WayBack.SettlesAt(undelivered, Units.Rollout(), TimeSpan.FromHours(1), ended));
    }

    [Theory]
    [InlineData(ChangeStep.Verifying, 11)] // what it may not begin by day it does not finish by day
    [InlineData(ChangeStep.Installing, 1)] // what is begun is finished
    public void SettlesAt_OfADeviceThatHadBegun_CountsAllTime(ChangeStep step, int hours)
    {
        var worked = Report(Offer(), step, 1, Units.Start).Next;
        var ended = Units.Start.AddDays(1);
        var over = DeviceChanges.Expire(worked, Units.Rollout(), 0, Timers, ended).Next;

        Assert.Equal(ChangeOutcome.TimedOut, over.LastChange!.Outcome);
        Assert.Equal(ended.AddHours(hours), WayBack.SettlesAt(over, Units.Rollout(), TimeSpan.FromHours(1), ended, Nights));
    }

    private static Device Offer() => DeviceChanges.Offer(
        Units.InState(DeviceState.InService), Units.Offer() with { InstallWindows = Nights }, hasSession: true, Units.Start).Next;

    private static Decision<Device> Report(Device device, ChangeStep step, long sequence, DateTimeOffset now) =>
        DeviceMessages.TakeReport(device, Units.Report(1, step, sequence), now);

    private static bool IsOver(Device device, DateTimeOffset now) =>
        DeviceChanges.Expire(device, Units.Rollout(), 0, Timers, now).Verdict == OfferVerdict.Closed;
}
