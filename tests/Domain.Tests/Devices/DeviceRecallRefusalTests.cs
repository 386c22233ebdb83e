using Muster.Domain.Devices;

namespace Muster.Domain.Tests.Devices;

/// <summary>A device that does not give up what it was not known to have.</summary>
public sealed class DeviceRecallRefusalTests
{
    private static readonly ChangeTimers Timers = new(TimeSpan.FromHours(1), TimeSpan.FromDays(7));
    private static readonly DateTimeOffset Later = Units.Start + TimeSpan.FromMinutes(2);

    /// <summary>From its word on it is in progress: the other timer runs, its share hears of it, and nobody takes the offer back.</summary>
    [Fact]
    public void Refusal_OfAnOfferThatWasNotNamed_DeliversIt()
    {
        var asked = DeviceChanges.Recall(Units.Offered(), Units.Rollout(), 0, Timers, Units.Start).Next;
        var no = Units.Report(2, ChangeStep.Unspecified, 2, outcome: ChangeOutcome.Rejected) with { Reason = "flashing" };

        var refusal = DeviceMessages.TakeReport(asked, no, Later);
        var change = refusal.Next.Change!;
        var before = DeviceChanges.Expire(refusal.Next, Units.Rollout(), 0, Timers, Later + Timers.InProgressMax - TimeSpan.FromSeconds(1));
        var over = DeviceChanges.Expire(refusal.Next, Units.Rollout(), 0, Timers, Later + Timers.InProgressMax);
        var takenBack = DeviceChanges.TakeBack(refusal.Next, Units.Rollout(), 0, WayBack.Ordered, Later);

        Assert.Equal(
            [new ChangeDelivered(Units.Rollout(), 1), new ChangeRecallRefused(Units.Rollout(), 1, "flashing")], refusal.Events);
        Assert.Equal((ChangeStep.Delivered, (DateTimeOffset?)Later), (change.Step, change.DeliveredAt));
        Assert.Empty(before.Events);
        Assert.Equal(ChangeTimers.ChangeTimedOut, over.Reason);
        Assert.Equal((OfferVerdict.InProgress, (DateTimeOffset?)Later), (takenBack.Verdict, takenBack.DeliveredAt));
    }
}
