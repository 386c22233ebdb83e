using Muster.Domain.Devices;
using Muster.Domain.Policies;

namespace Muster.Domain.Tests.Devices;

/// <summary>
/// A device that works on an image when the timer ends its change may go on in that boot, whatever it has seen since, until it says that it
/// takes over something newer: a way back waits for it (rollouts.md 19).
/// </summary>
public sealed class DeviceLateAnswerTests
{
    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));
    private static readonly DateTimeOffset End = Units.Start + Timers.InProgressMax;

    [Theory]
    [InlineData(ChangeStep.Unspecified, ChangeOutcome.Rejected)]
    [InlineData(ChangeStep.Unspecified, ChangeOutcome.Failed)]
    [InlineData(ChangeStep.Installing, ChangeOutcome.Unspecified)]
    public void Report_ThatRefusesToStop_IsNoWordThatItStops(ChangeStep step, ChangeOutcome outcome)
    {
        var refused = Take(Take(Over(), Units.Hello("boot-1", 2, generation: 2)), Units.Report(2, step, 2, outcome: outcome));

        var asked = DeviceChanges.OfferWayBack(
            refused,
            Units.Offer() with { Retry = WayBack.FirstRetry, SettlesWithin = TimeSpan.FromHours(1) },
            previous: null,
            hasSession: true,
            End);

        Assert.Equal(OfferVerdict.Busy, asked.Verdict);
        AssertGoesOnUntilItBootsOrSaysOtherwise(refused, 2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Retry_ThatTheDeviceNeverWorkedOn_DoesNotForgetTheAttemptBeforeIt(bool isNamed)
    {
        var again = DeviceChanges.Offer(Over(), Units.Offer() with { Retry = 1 }, hasSession: true, End).Next;

        var over = isNamed
            ? DeviceChanges.Expire(
                Take(again, Units.Hello("boot-1", 2, generation: 3)),
                Units.Rollout(),
                1,
                Timers with { InProgressMax = TimeSpan.Zero },
                End)
            : DeviceChanges.TakeBack(again, Units.Rollout(), 1, WayBack.Ordered, End);

        Assert.Equal(isNamed ? ChangeOutcome.TimedOut : ChangeOutcome.Withdrawn, over.Outcome);
        AssertGoesOnUntilItBootsOrSaysOtherwise(Take(over.Next, Units.Hello("boot-1", 3, generation: 4)), 4);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OfferOfAnotherRollout_DoesNotForgetWhatTheDeviceWorkedOn(bool isNamed)
    {
        var offered = DeviceChanges.Offer(Over(), Units.Offer("summer"), hasSession: true, End).Next;

        var over = isNamed
            ? Take(
                Take(offered, Units.Hello("boot-1", 2, generation: 3)),
                Units.Report(3, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Rejected))
            : DeviceChanges.TakeBack(offered, Units.Rollout("summer"), 0, OfferHandover.Reason, End).Next;

        AssertGoesOnUntilItBootsOrSaysOtherwise(Take(over, Units.Hello("boot-1", 3, generation: 4)), 4);
    }

    [Fact]
    public void Report_OfWhatAnotherRolloutOrders_IsAWordThatItStops()
    {
        var offered = DeviceChanges.Offer(Over(), Units.Offer("summer"), hasSession: true, End).Next;

        var works = Take(offered, Units.Report(3, ChangeStep.Downloading, 2));

        Assert.Null(SettlesAt(works));
    }

    private static void AssertGoesOnUntilItBootsOrSaysOtherwise(Device device, long generation)
    {
        Assert.Equal(End.AddHours(1), SettlesAt(device));
        Assert.Null(SettlesAt(Take(device, Units.Report(generation, ChangeStep.Delivered, 9))));
        Assert.Null(SettlesAt(Take(device, Units.Hello("boot-2", 1, generation: generation))));
    }

    /// <summary>It downloads the image in boot-1, and its time is over.</summary>
    private static Device Over()
    {
        var greeted = Take(Units.Offered(), Units.Hello("boot-1", 1));
        var working = Take(greeted, Units.Report(1, ChangeStep.Downloading, 1));
        return DeviceChanges.Expire(working, Units.Rollout(), 0, Timers, End).Next;
    }

    private static DateTimeOffset? SettlesAt(Device device) =>
        WayBack.SettlesAt(device, Units.Rollout(), TimeSpan.FromHours(1), End);

    private static Device Take(Device device, ObservedHello hello) => DeviceMessages.TakeHello(device, hello, PolicySet.Empty, End).Next;

    private static Device Take(Device device, ObservedProgress report) => DeviceMessages.TakeReport(device, report, Units.Start).Next;
}
