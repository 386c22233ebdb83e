using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>A device that is offered the same change again after it failed.</summary>
public sealed class DeviceAttemptsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly ChangeTimers Timers = new(Hour, TimeSpan.FromDays(7));

    [Fact]
    public void Offer_OfTheNextAttempt_IsANewGenerationAndTheClosedOneStaysClosed()
    {
        var failed = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));

        var again = DeviceChanges.Offer(failed, Units.Offer(), hasSession: true, Units.Start);
        var next = DeviceChanges.Offer(failed, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start);
        var late = DeviceMessages.TakeReport(next.Next, Units.Report(1, ChangeStep.Installing, 2), Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Failed, 0), (again.Verdict, again.Outcome, again.Retry));
        Assert.Equal(new ChangeOffered(Units.Rollout(), 1, 3, Units.NewDigest) { Retry = 1 }, Assert.Single(next.Events));
        Assert.Equal((3L, 1), (next.Next.Change!.Generation, next.Next.Change.Retry));
        Assert.IsType<LateReportIgnored>(Assert.Single(late.Events));
    }

    [Theory]
    [InlineData(ChangeOutcome.Failed, "no room for the image", true)]
    [InlineData(ChangeOutcome.Rejected, "a recording is running", true)]
    [InlineData(ChangeOutcome.Rejected, "IMAGE_SIGNATURE_INVALID", false)]
    [InlineData(ChangeOutcome.Failed, "STEP_REQUIRED", false)]
    public void Offer_AfterAReasonOfTheDevice_IsMadeUnlessThatIsFinal(ChangeOutcome outcome, string reason, bool isOffered)
    {
        var failed = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: outcome) with { Reason = reason });

        var next = DeviceChanges.Offer(failed, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start);

        Assert.Equal(isOffered ? OfferVerdict.InProgress : OfferVerdict.Closed, next.Verdict);
        Assert.Equal(isOffered ? "" : reason, next.Reason);
    }

    [Fact]
    public void Offer_AfterASuccess_IsAnsweredWithItWhateverTheAttempt()
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));

        var next = DeviceChanges.Offer(updated, Units.Offer() with { Retry = 4 }, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Succeeded, 0), (next.Verdict, next.Outcome, next.Retry));
        Assert.Equal(Units.Start, next.EndedAt);
    }

    [Fact]
    public void Close_OfTenAttempts_PushesNoOtherRolloutOutOfMemory()
    {
        var device = Units.Take(Units.Offered("summer"), Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));
        for (var retry = 0; retry < 10; retry++)
        {
            device = DeviceChanges.Offer(device, Units.Offer() with { Retry = retry }, hasSession: true, Units.Start).Next;
            var report = Units.Report(device.Desired.Generation, ChangeStep.Unspecified, retry + 2, outcome: ChangeOutcome.Failed);
            device = Units.Take(device, report);
        }

        Assert.Equal((9, "spring"), (device.LastChange!.Retry, device.LastChange.Rollout.Value));
        Assert.Equal(["summer"], device.EarlierChanges.Select(change => change.Rollout.Value));
        Assert.Equal(ChangeOutcome.Failed, DeviceChanges.Offer(device, Units.Offer("summer"), hasSession: true, Units.Start).Outcome);
    }

    [Fact]
    public void TakeHello_OfAnotherImageAfterARetriedSuccess_ReopensThatAttempt()
    {
        var failed = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));
        var retried = DeviceChanges.Offer(failed, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start).Next;
        var updated = Units.Take(retried, Units.Hello("boot-2", 1, Units.NewDigest, 3));

        var fact = DeviceMessages
            .TakeHello(updated, Units.Hello("boot-3", 1, Units.OldDigest, 3), Domain.Policies.PolicySet.Empty, Units.Start)
            .Events.OfType<ChangeClosed>().Single();

        Assert.Equal((ChangeOutcome.Failed, 1), (fact.Outcome, fact.Retry));
    }

    [Theory]
    [InlineData(TimeoutPolicy.Fail, ChangeOutcome.TimedOut)]
    [InlineData(TimeoutPolicy.LeaveOut, ChangeOutcome.Skipped)]
    [InlineData(TimeoutPolicy.Wait, ChangeOutcome.Unspecified)]
    public void Expire_OfEitherTimer_DoesAsItsPolicySays(TimeoutPolicy policy, ChangeOutcome expected)
    {
        var offered = Units.Offered();
        var delivered = Units.Take(offered, Units.Report(1, ChangeStep.Downloading, 1));
        var later = Units.Start + Timers.UndeliveredMax;

        var undelivered = DeviceChanges.Expire(offered, Units.Rollout(), 0, Timers with { UndeliveredPolicy = policy }, later);
        var inProgress = DeviceChanges.Expire(delivered, Units.Rollout(), 0, Timers with { InProgressPolicy = policy }, later);

        Assert.Equal((expected, expected), (undelivered.Outcome, inProgress.Outcome));
        Assert.Equal(
            expected == ChangeOutcome.Unspecified ? ("", "") : (ChangeTimers.OfferUndelivered, ChangeTimers.ChangeTimedOut),
            (undelivered.Reason, inProgress.Reason));
        Assert.Equal(expected == ChangeOutcome.Unspecified, inProgress.Next.Desired.Os is not null);
    }

    [Fact]
    public void Expire_OfARetryThatTheDeviceNeverGot_LetsItWaitAgain()
    {
        var failed = Units.Take(Units.Offered(), Units.Report(1, ChangeStep.Unspecified, 1, outcome: ChangeOutcome.Failed));

        var never = DeviceChanges.Expire(failed, Units.Rollout(), 1, Timers, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Withdrawn), (never.Verdict, never.Outcome));
    }
}
