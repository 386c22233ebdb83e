namespace Muster.Domain.Devices;

/// <summary>The way back of a rollout: the offer of the image that the device ran before.</summary>
public static partial class DeviceChanges
{
    /// <summary>
    /// Offers the image before the rollout's (rollouts.md 19). Which one that is the device alone knows; whether it may be offered now, the
    /// catalogue, the device's model and its floor say.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="offer">The rollout's own offer, of an attempt of the way back.</param>
    /// <param name="previous">
    /// An offer of the image of <see cref="WayBack.Find"/> as the catalogue has it, of which nothing else is taken; null when it is not
    /// published any more.
    /// </param>
    /// <param name="hasSession">Whether the device can be told.</param>
    /// <param name="now">The time of the decision.</param>
    public static OfferDecision OfferWayBack(
        Device device, ChangeOffer offer, ChangeOffer? previous, bool hasSession, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        return FindAnswer(device, offer)
            ?? FindAbsence(device)
            ?? FindUnsettled(device, offer, hasSession, now)
            ?? FindObstacleOfWayBack(device, offer, previous)
            ?? Make(
                device,
                previous! with
                {
                    Rollout = offer.Rollout,
                    Epoch = offer.Epoch,
                    Retry = offer.Retry,
                    FirstOfferedAt = offer.FirstOfferedAt,
                    InstallWindows = offer.InstallWindows,
                },
                hasSession,
                now);
    }

    /// <summary>
    /// What the device remembers of a rollout: the generation of its newest offer, in progress or over, 0 for none; and whether the rollout
    /// took the device over a step, in whichever attempt.
    /// </summary>
    public static (long Generation, bool HasStepped) MemoryOf(Device device, ResourceId rollout)
    {
        ArgumentNullException.ThrowIfNull(device);
        var last = LastOf(device, rollout);
        var newest = device.Change is { } change && change.Rollout == rollout ? change.Generation : last?.Generation ?? 0;
        return (newest, last is { HasStepped: true });
    }

    /// <summary>
    /// The device takes over what is newer than a change that its timer ended: it has left that. A refusal is the contrary, and a step
    /// of what orders nothing says nothing.
    /// </summary>
    internal static Device LeaveEarlier(Device device, ObservedProgress report)
    {
        var isTakenOver = report.Outcome == ChangeOutcome.Unspecified
            && (report.Step <= ChangeStep.Delivered || report.Generation == device.Change?.Generation);
        return isTakenOver && (IsLeft(device.LastChange) || device.EarlierChanges.Any(IsLeft))
            ? device with
            {
                LastChange = Leave(device.LastChange),
                EarlierChanges = [.. device.EarlierChanges.Select(earlier => Leave(earlier)!)],
            }
            : device;

        bool IsLeft(ClosedChange? change) => change is { WorkedInBoot: not null } && change.Generation < report.Generation;
        ClosedChange? Leave(ClosedChange? change) => IsLeft(change) ? change! with { WorkedInBoot = null } : change;
    }

    /// <summary>
    /// In which boot the device may go on although the change is over: with this attempt or, where it never worked on it, with one before
    /// it of the same rollout. Null when the device has ended it. A refusal that an earlier version took has no boot.
    /// </summary>
    private static string? WorkedIn(Device device, ChangeInProgress change, ChangeOutcome outcome) => outcome switch
    {
        ChangeOutcome.TimedOut or ChangeOutcome.Skipped or ChangeOutcome.Withdrawn
            when change is { IsRecallRefused: true, StepBootId.Length: > 0 } => change.StepBootId,
        ChangeOutcome.TimedOut or ChangeOutcome.Skipped when change.Step > ChangeStep.Delivered => change.StepBootId,
        ChangeOutcome.TimedOut or ChangeOutcome.Skipped or ChangeOutcome.Withdrawn => LastOf(device, change.Rollout)?.WorkedInBoot,
        _ => null,
    };

    /// <summary>What the device remembers of a rollout that ended for it; null when it remembers nothing.</summary>
    internal static ClosedChange? LastOf(Device device, ResourceId rollout) => device.LastChange is { } last && last.Rollout == rollout
        ? last
        : device.EarlierChanges.LastOrDefault(earlier => earlier.Rollout == rollout);

    /// <summary>
    /// What it runs is not what it will run: "nothing to roll back" is final, and would leave it with the image a boot later.
    /// </summary>
    private static OfferDecision? FindUnsettled(Device device, ChangeOffer offer, bool hasSession, DateTimeOffset now)
    {
        if (WayBack.Find(device, offer.Rollout, offer.Target.Digest, offer.Path).Reason != WayBack.NothingToRollBack
            || WayBack.SettlesAt(device, offer.Rollout, offer.SettlesWithin, now, offer.InstallWindows) is not { } settlesAt)
        {
            return null;
        }

        var next = now + WayBack.SettleInterval;
        return new OfferDecision(device, [], hasSession ? OfferVerdict.Busy : OfferVerdict.Offline)
        {
            AskAgainAt = next < settlesAt ? next : settlesAt,
        };
    }

    private static OfferDecision? FindObstacleOfWayBack(Device device, ChangeOffer offer, ChangeOffer? previous)
    {
        var (digest, reason) = WayBack.Find(device, offer.Rollout, offer.Target.Digest, offer.Path);
        if (reason.Length > 0)
        {
            return Closed(device, ChangeOutcome.Skipped, reason);
        }

        // Its track is where the device comes from: no change of the track that anybody would have to allow.
        var isUsable = previous is not null
            && previous.Target.Digest == digest
            && (previous.Models.IsEmpty || previous.Models.Contains(device.Model))
            && EnrollmentRules.IsAtLeast(previous.Target.Version, device.OsFloor)
            && previous.Conditions.FindObstacle(device.Os?.Version ?? "") is null;
        return isUsable ? null : Closed(device, ChangeOutcome.Skipped, WayBack.NoWayBack);
    }
}
