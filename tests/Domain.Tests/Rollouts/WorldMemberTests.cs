using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>The devices of random histories do what devices do.</summary>
public sealed class WorldMemberTests
{
    private const string Step = "a step";

    private static readonly int[] Attempts = [0, 1, WayBack.FirstRetry, WayBack.FirstRetry + 1];

    /// <summary>
    /// However an attempt ended so that its member waits: the same attempts may be offered behind it, and the others are answered with it.
    /// </summary>
    [Theory]
    [InlineData(OfferHandover.Reason)]
    [InlineData(OfferHandover.CancelledReason)]
    [InlineData(WayBack.Ordered)]
    [InlineData(Step)]
    public void GoesOn_BehindAnAttemptThatLetsItWait_IsWhatADeviceSays(string reason)
    {
        foreach (var ended in Attempts.Where(attempt => reason != Step || !WayBack.Is(attempt)))
        {
            var member = new WorldMember(0, 0, []) { StepsLeft = 1 };
            member.Offer(new OpenOffer(0, 1, IsConfirmed: true, Units.Start, null), ended, Units.Start);
            member.End(reason == Step ? MemberState.Succeeded : MemberState.Waiting, Units.Start, reason);
            var outcome = reason == Step ? ChangeOutcome.StepTaken : ChangeOutcome.Withdrawn;
            var device = Units.InState(DeviceState.InService) with
            {
                LastChange = new ClosedChange(Units.Rollout(), 1, outcome, reason, Units.Start, Units.NewDigest) { Retry = ended },
            };

            Assert.Equal(
                Attempts.Where(next => IsAnsweredAnew(device, next)), Attempts.Where(member.GoesOn));
        }
    }

    private static bool IsAnsweredAnew(Device device, int retry)
    {
        var offer = Units.Offer() with { Retry = retry };
        var decision = WayBack.Is(retry)
            ? DeviceChanges.OfferWayBack(device, offer, previous: null, hasSession: true, Units.Start)
            : DeviceChanges.Offer(device, offer, hasSession: true, Units.Start);
        return decision.EndedAt is null;
    }
}
