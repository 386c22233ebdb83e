namespace Muster.Domain.Devices;

/// <summary>Steps whose image was revoked.</summary>
public static partial class DeviceChanges
{
    /// <summary>Why a device is left out: the image of its step was revoked before it named the offer of it.</summary>
    public const string StepRevoked = "STEP_REVOKED";

    /// <summary>
    /// Takes the offer of a step back whose image was revoked, as <see cref="TakeBack"/> does; the device is left out, and does not wait
    /// for a way that there is not any more. What else it was offered since is not touched. Nor is what it is asked to give up, or has
    /// refused to: that ends by its own rules (<see cref="Recall"/>), and the device may be at work on it.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="rollout">The rollout.</param>
    /// <param name="retry">The attempt: how many ended before it.</param>
    /// <param name="digest">The image that was revoked.</param>
    /// <param name="now">The time of the decision.</param>
    public static OfferDecision TakeBackStep(Device device, ResourceId rollout, int retry, string digest, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Change is not { DeliveredAt: null, StepsLeft: > 0, RecalledBy: 0 } change
            || change.Rollout != rollout
            || change.Retry != retry
            || change.Target.Digest != digest)
        {
            return FindKnown(device, rollout, retry) ?? Closed(device, ChangeOutcome.Withdrawn, "NEVER_OFFERED");
        }

        var (next, fact) = Close(device, change, ChangeOutcome.Skipped, StepRevoked, now);
        return Ended(next, next.LastChange!) with { Events = [fact] };
    }
}
