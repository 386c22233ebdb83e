namespace Muster.Domain.Devices;

/// <summary>
/// Decides about the one change a device has in progress (I2): its offer, its progress, and its end. Success is read from the boot
/// alone (I4, rollouts.md 18).
/// </summary>
public static class DeviceChanges
{
    /// <summary>The device runs another image than the change's after its reboot, or later.</summary>
    public const string RunsAnotherImage = "RUNS_ANOTHER_IMAGE";

    /// <summary>
    /// Offers an image. The same rollout again is answered with what became of it: a closed attempt is never offered again.
    /// </summary>
    public static OfferDecision Offer(Device device, ChangeOffer offer, bool hasSession, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        if (FindKnown(device, offer.Rollout) is { } known)
        {
            return known;
        }

        if (FindObstacle(device, offer) is { } obstacle)
        {
            return obstacle;
        }

        if (!hasSession || device.Change is not null)
        {
            return new OfferDecision(device, [], hasSession ? OfferVerdict.Busy : OfferVerdict.Offline);
        }

        var generation = device.Desired.Generation + 1;
        var change = new ChangeInProgress(
            offer.Rollout,
            offer.Epoch,
            generation,
            offer.Target,
            ChangeStep.Offered,
            device.Os?.BootId ?? "",
            now,
            DeliveredAt: null,
            device.Os?.ImageDigest ?? "")
        {
            Track = offer.Track,
        };
        var next = device with { Change = change, Desired = new DesiredState(generation, offer.Target, offer.Rollout.Value) };
        return new OfferDecision(
            next, [new ChangeOffered(offer.Rollout, offer.Epoch, generation, offer.Target.Digest)], OfferVerdict.InProgress);
    }

    /// <summary>Closes a change whose time is over. One that this device knows nothing of goes back to waiting.</summary>
    public static OfferDecision Expire(
        Device device, ResourceId rollout, TimeSpan inProgressMax, TimeSpan undeliveredMax, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Change is { } change && change.Rollout == rollout)
        {
            var deadline = change.DeliveredAt is { } deliveredAt ? deliveredAt + inProgressMax : change.OfferedAt + undeliveredMax;
            if (now < deadline)
            {
                return InProgress(device, change);
            }

            var (next, fact) = Close(device, change, ChangeOutcome.TimedOut, "TIMED_OUT", now);
            return Closed(next, ChangeOutcome.TimedOut, "TIMED_OUT") with { Events = [fact] };
        }

        return FindKnown(device, rollout) ?? Closed(device, ChangeOutcome.Withdrawn, "NEVER_OFFERED");
    }

    /// <summary>
    /// What the device knows of rollouts that are not there any more and never come back: nobody would close the change in progress, and
    /// a rollout that is later given the same name would be told that it has ended here. What the device runs is not touched.
    /// </summary>
    public static Device ForgetRollouts(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        var next = device.Change is null ? device : Withdraw(device);
        return next with { Change = null, LastChange = null, EarlierChanges = [] };
    }

    /// <summary>The device leaves its rollout.</summary>
    internal static (Device Next, DomainEvent? Fact) Remove(Device device, string reason, DateTimeOffset now) =>
        device.Change is { } change ? Close(device, change, ChangeOutcome.Removed, reason, now) : (device, null);

    /// <summary>What a report says of the change: exactly one fact.</summary>
    internal static (Device Next, DomainEvent Fact) TakeReport(Device device, ObservedProgress report, DateTimeOffset now)
    {
        if (device.Change is not { } change || change.Generation != report.Generation)
        {
            return (device, new LateReportIgnored(report.Generation, report.Step));
        }

        if (report.Outcome is ChangeOutcome.Failed or ChangeOutcome.Rejected)
        {
            var reason = report.Reason.Length > 0 ? report.Reason : report.Outcome.ToString();
            return Close(device, change, report.Outcome, reason, now);
        }

        var next = change with
        {
            Step = report.Step < ChangeStep.Delivered ? ChangeStep.Delivered : report.Step,
            StepBootId = report.Origin.Stamp.BootId,
            DeliveredAt = change.DeliveredAt ?? now,
        };
        return (device with { Change = next }, change.DeliveredAt is null
            ? new ChangeDelivered(change.Rollout, change.Generation) { Step = next.Step }
            : new ChangeProgressed(change.Rollout, change.Generation, next.Step));
    }

    /// <summary>
    /// What a hello says of the change, whatever generation it names. The device's <see cref="Device.Os"/> is the hello's already.
    /// </summary>
    internal static (Device Next, DomainEvent? Fact) TakeBoot(Device device, ReportedOs os, DateTimeOffset now)
    {
        if (device.Change is not { } change)
        {
            return TakeRegression(device, os, now);
        }

        if (os.BootId != change.BootIdAtOffer && os.ImageDigest == change.Target.Digest)
        {
            return Close(device, change, ChangeOutcome.Succeeded, "", now);
        }

        // An unknown digest is neither; a boot while it still downloads decides nothing.
        var wasInstalling = change.Step is ChangeStep.Installing or ChangeStep.Rebooting;
        if (wasInstalling && os.BootId != change.StepBootId && os.ImageDigest.Length > 0 && os.ImageDigest != change.Target.Digest)
        {
            return Close(device, change, ChangeOutcome.Failed, RunsAnotherImage, now);
        }

        if (change.DeliveredAt is not null || device.GenerationReached < change.Generation)
        {
            return (device, null);
        }

        var delivered = change with { Step = ChangeStep.Delivered, DeliveredAt = now, StepBootId = os.BootId };
        return (device with { Change = delivered }, new ChangeDelivered(change.Rollout, change.Generation));
    }

    /// <summary>A success that is none any more: the rollout's gate learns of it, also after the wave has passed.</summary>
    private static (Device Next, DomainEvent? Fact) TakeRegression(Device device, ReportedOs os, DateTimeOffset now)
    {
        if (device.LastChange is not { Outcome: ChangeOutcome.Succeeded } last
            || os.ImageDigest.Length == 0
            || os.ImageDigest == last.TargetDigest)
        {
            return (device, null);
        }

        var reopened = last with { Outcome = ChangeOutcome.Failed, Reason = RunsAnotherImage, ClosedAt = now };
        return (Withdraw(device) with { LastChange = reopened },
            new ChangeClosed(last.Rollout, last.Generation, ChangeOutcome.Failed, RunsAnotherImage));
    }

    private static (Device Next, DomainEvent Fact) Close(
        Device device, ChangeInProgress change, ChangeOutcome outcome, string reason, DateTimeOffset now)
    {
        var closed = new ClosedChange(change.Rollout, change.Generation, outcome, reason, now, change.Target.Digest);
        var next = device with { Change = null, LastChange = closed, EarlierChanges = Remember(device) };
        next = outcome == ChangeOutcome.Succeeded
            ? next with { Track = change.Track, Installs = device.Installs + 1 }
            : Withdraw(next);
        return (next, new ChangeClosed(change.Rollout, change.Generation, outcome, reason));
    }

    /// <summary>
    /// A newer generation without an image: a device that comes back late must not install what is closed, nor fetch it.
    /// </summary>
    private static Device Withdraw(Device device) => device with { Desired = new DesiredState(device.Desired.Generation + 1, null, null) };

    private static ImmutableArray<ClosedChange> Remember(Device device)
    {
        if (device.LastChange is not { } last)
        {
            return device.EarlierChanges;
        }

        var earlier = device.EarlierChanges;
        return (earlier.Length < Device.EarlierChangesMax ? earlier : earlier.RemoveAt(0)).Add(last);
    }

    private static OfferDecision? FindKnown(Device device, ResourceId rollout)
    {
        if (device.Change is { } change && change.Rollout == rollout)
        {
            return InProgress(device, change);
        }

        var ended = device.LastChange is { } last && last.Rollout == rollout
            ? last
            : device.EarlierChanges.LastOrDefault(earlier => earlier.Rollout == rollout);
        return ended is null ? null : Closed(device, ended.Outcome, ended.Reason);
    }

    /// <summary>What no waiting will change (rollouts.md 6 and 23).</summary>
    private static OfferDecision? FindObstacle(Device device, ChangeOffer offer)
    {
        switch (device.State)
        {
            case DeviceState.Expected or DeviceState.Enrolling:
                return Closed(device, ChangeOutcome.Skipped, "DEVICE_NOT_ENROLLED");
            case DeviceState.Quarantined or DeviceState.Decommissioning or DeviceState.Decommissioned or DeviceState.Returned
                or DeviceState.Withdrawn:
                return Closed(device, ChangeOutcome.Removed, "DEVICE_NOT_IN_SERVICE");
            case DeviceState.InService when device.Suspicion is not null:
                return Closed(device, ChangeOutcome.Removed, "CLONE_SUSPECTED");
            case DeviceState.InService:
                break;
            default:
                throw new UnreachableException($"Device '{device.Id}' has unknown state {device.State}.");
        }

        return offer switch
        {
            _ when !offer.Models.IsEmpty && !offer.Models.Contains(device.Model) =>
                Closed(device, ChangeOutcome.Skipped, "MODEL_NOT_COMPATIBLE"),
            _ when !offer.AllowTrackChange && offer.Track != device.Track => Closed(device, ChangeOutcome.Skipped, "TRACK_MISMATCH"),
            _ when !EnrollmentRules.IsAtLeast(offer.Target.Version, device.OsFloor) =>
                Closed(device, ChangeOutcome.Skipped, "OS_BELOW_FLOOR"),
            _ when device.Os?.ImageDigest == offer.Target.Digest => Closed(device, ChangeOutcome.Skipped, "ALREADY_RUNNING_TARGET"),
            _ => null,
        };
    }

    private static OfferDecision InProgress(Device device, ChangeInProgress change) =>
        new(device, [], OfferVerdict.InProgress) { DeliveredAt = change.DeliveredAt };

    private static OfferDecision Closed(Device device, ChangeOutcome outcome, string reason) =>
        new(device, [], OfferVerdict.Closed) { Outcome = outcome, Reason = reason };
}
