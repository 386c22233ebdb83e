using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>
/// The hardware behind a serial is replaced while a rollout runs, and says that it is another model (rollouts.md 18, 19 and 23): it is
/// offered nothing that is not for it, and no member stays without an end.
/// </summary>
public sealed class DeviceModelTests
{
    private const string Other = "Q6075";

    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));

    [Fact]
    public void Offer_ToADeviceThatIsAnotherModelMeanwhile_LeavesItOut()
    {
        var device = Replaced(Units.InState(DeviceState.InService), Units.OldDigest, 0);

        var decision = DeviceChanges.Offer(device, Units.Offer(), hasSession: true, Units.Start);

        Assert.Equal(Other, device.Model);
        Assert.Equal(
            (OfferVerdict.Closed, ChangeOutcome.Skipped, "MODEL_NOT_COMPATIBLE"),
            (decision.Verdict, decision.Outcome, decision.Reason));
        Assert.Empty(decision.Events);
    }

    /// <summary>What is offered was for the model before: the new one refuses it for good, or its timer ends it.</summary>
    [Fact]
    public void Replacement_WithAnOfferOnItsWay_RefusesItOnceAndIsNotOfferedItAgain()
    {
        var replaced = Replaced(Units.Offered(), Units.OldDigest, 1);
        var refused = Units.Take(replaced, Units.Report(1, ChangeStep.Unspecified, 1, "boot-2", ChangeOutcome.Rejected) with
        {
            Reason = "MODEL_NOT_COMPATIBLE",
        });

        var retry = DeviceChanges.Offer(refused, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start);
        var silent = DeviceChanges.Expire(replaced, Units.Rollout(), 0, Timers, Units.Start.AddHours(1));

        Assert.NotNull(replaced.Change);
        Assert.Equal((ChangeOutcome.Rejected, "MODEL_NOT_COMPATIBLE"), (refused.LastChange!.Outcome, refused.LastChange.Reason));
        Assert.False(FinalReasons.MayRetry(refused.LastChange.Outcome, refused.LastChange.Reason));
        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Rejected), (retry.Verdict, retry.Outcome));
        Assert.Equal(ChangeOutcome.TimedOut, silent.Outcome);
    }

    /// <summary>It runs what it came with: the success is none any more, and the next attempt is not for it.</summary>
    [Fact]
    public void Replacement_OfADeviceThatHadSucceeded_TakesTheSuccessBackAndIsLeftOutOfTheNextAttempt()
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var replaced = Replaced(updated, Units.OldDigest, 1, "boot-3");

        var retry = DeviceChanges.Offer(replaced, Units.Offer() with { Retry = 1 }, hasSession: true, Units.Start);

        Assert.Equal(ChangeOutcome.Succeeded, updated.LastChange!.Outcome);
        Assert.Equal((ChangeOutcome.Failed, DeviceChanges.RunsAnotherImage), (replaced.LastChange!.Outcome, replaced.LastChange.Reason));
        Assert.True(replaced.Desired.OrdersNothing);
        Assert.Equal((ChangeOutcome.Skipped, "MODEL_NOT_COMPATIBLE"), (retry.Outcome, retry.Reason));
    }

    /// <summary>What the device before it ran is not for it, whatever image it has.</summary>
    [Fact]
    public void WayBack_OfAReplacementThatRunsTheImage_IsNone()
    {
        var updated = Units.Take(Units.Offered(), Units.Hello("boot-2", 1, Units.NewDigest, 1));
        var replaced = Replaced(updated, Units.NewDigest, 1, "boot-3");
        var previous = Units.Offer(digest: Units.OldDigest) with { Target = new OsTarget(Units.OldDigest, "12.0.1", 900, [1]) };

        var back = DeviceChanges.OfferWayBack(
            replaced, Units.Offer() with { Retry = WayBack.FirstRetry }, previous, hasSession: true, Units.Start);

        Assert.Equal((OfferVerdict.Closed, ChangeOutcome.Skipped, WayBack.NoWayBack), (back.Verdict, back.Outcome, back.Reason));
        Assert.Empty(back.Events);
    }

    private static Device Replaced(Device device, string digest, long generation, string boot = "boot-2") =>
        DeviceMessages.TakeHello(
            device, Units.Hello(boot, 1, digest, generation) with { Model = Other }, PolicySet.Empty, Units.Start).Next;
}
