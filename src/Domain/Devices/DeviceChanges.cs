using Muster.Domain.Images;

namespace Muster.Domain.Devices;

/// <summary>
/// Decides about the one change a device has in progress (I2): its offer, its progress, and its end. Success of an image is read from the
/// boot alone (I4, rollouts.md 18), that of settings from the inventory (<see cref="SettingsChanges"/>).
/// </summary>
public static partial class DeviceChanges
{
    /// <summary>The device runs another image than the change's after its reboot, or later.</summary>
    public const string RunsAnotherImage = "RUNS_ANOTHER_IMAGE";

    /// <summary>
    /// Offers a change. The same attempt again is answered with what became of it: a closed attempt is never offered again, the next one is
    /// when the last could have ended otherwise (<see cref="FinalReasons"/>).
    /// </summary>
    public static OfferDecision Offer(Device device, ChangeOffer offer, bool hasSession, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(offer);
        if (FindAnswer(device, offer) is { } known)
        {
            return known;
        }

        if (FindObstacle(device, offer) is { } obstacle)
        {
            return obstacle;
        }

        return Make(device, offer, hasSession, now);
    }

    /// <summary>Makes an offer to which nothing is opposed; the device may have no session, or be busy.</summary>
    private static OfferDecision Make(Device device, ChangeOffer offer, bool hasSession, DateTimeOffset now)
    {
        if (!hasSession || device.Change is not null)
        {
            return new OfferDecision(device, [], hasSession ? OfferVerdict.Busy : OfferVerdict.Offline);
        }

        var generation = device.Desired.Generation + 1;
        var step = StepPath.OfferedStep(device, offer);
        var change = new ChangeInProgress(
            offer.Rollout,
            offer.Epoch,
            generation,
            step?.Target ?? offer.Target,
            ChangeStep.Offered,
            device.Os?.BootId ?? "",
            now,
            DeliveredAt: null,
            StepPath.PreviousOf(device, offer))
        {
            Track = step?.Track ?? offer.Track,
            SecurityFloor = (step?.Conditions ?? offer.Conditions).SecurityFloor,
            StepsTaken = StepPath.StepsTaken(device, offer),
            StepsLeft = step is null ? 0 : StepPath.StepsLeft(device, offer),
            Retry = offer.Retry,
            FirstOfferedAt = offer.FirstOfferedAt,
            Settings = offer.Settings,
            SupersedesBefore = offer is { Kind: ChangeKind.OsImage, Rank: { SupersedesOlder: true } rank } ? rank.StartedAt.UtcTicks : 0,
            InstallWindows = offer.InstallWindows,
        };
        var next = device with { Change = change, Desired = DesiredState.Of(change) };
        var fact = new ChangeOffered(offer.Rollout, offer.Epoch, generation, change.Target.Digest)
        {
            Retry = offer.Retry,
            FirstOfferedAt = offer.FirstOfferedAt,
        };
        return InProgress(next, change) with { Events = [fact] };
    }

    /// <summary>Closes a change whose time is over. One that this device knows nothing of goes back to waiting.</summary>
    public static OfferDecision Expire(Device device, ResourceId rollout, int retry, ChangeTimers timers, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(timers);
        if (device.Change is { } change && change.Rollout == rollout)
        {
            if (DeadlineOf(change, timers) is not { } deadline || now < deadline)
            {
                return InProgress(device, change);
            }

            var (policy, reason) = change.DeliveredAt is null
                ? (timers.UndeliveredPolicy, ChangeTimers.OfferUndelivered)
                : (timers.InProgressPolicy, ChangeTimers.ChangeTimedOut);
            var (next, fact) = Close(device, change, ChangeTimers.OutcomeOf(policy), reason, now);
            return Ended(next, next.LastChange!) with { Events = [fact] };
        }

        return FindKnown(device, rollout, retry) ?? Closed(device, ChangeOutcome.Withdrawn, "NEVER_OFFERED");
    }

    /// <summary>
    /// Takes an offer back that was not delivered yet. One that was is with the device: it ends, or its time does. One that this device
    /// knows nothing of goes back to waiting. Who has no way back any more (<see cref="WayBack.NoWayBack"/>) does not wait for one. Asked
    /// about another attempt, nothing is taken back: of that one the order knows nothing, and may be late.
    /// </summary>
    public static OfferDecision TakeBack(Device device, ResourceId rollout, int retry, string reason, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.Change is { } change && change.Rollout == rollout)
        {
            if (change.DeliveredAt is not null || change.Retry != retry)
            {
                return InProgress(device, change);
            }

            var outcome = reason == WayBack.NoWayBack ? ChangeOutcome.Skipped : ChangeOutcome.Withdrawn;
            var (next, fact) = Close(device, change, outcome, reason, now);
            return Ended(next, next.LastChange!) with { Events = [fact] };
        }

        return FindKnown(device, rollout, retry) ?? Closed(device, ChangeOutcome.Withdrawn, "NEVER_OFFERED");
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

    /// <summary>What a report says of the change: one fact; two when it refuses to give up what it had not named before.</summary>
    internal static (Device Next, ImmutableArray<DomainEvent> Facts) TakeReport(Device device, ObservedProgress report, DateTimeOffset now)
    {
        if (device.Change is { } recalled && NamesRecall(recalled, report.Generation))
        {
            return TakeAnswer(device, recalled, report, now);
        }

        if (device.Change is not { } change || change.Generation != report.Generation)
        {
            return (device, [new LateReportIgnored(report.Generation, report.Step)]);
        }

        if (report.Outcome is ChangeOutcome.Failed or ChangeOutcome.Rejected)
        {
            var reason = report.Reason.Length > 0 ? report.Reason : report.Outcome.ToString();
            return Alone(Close(device, change, report.Outcome, reason, now));
        }

        var next = change with
        {
            Step = report.Step < ChangeStep.Delivered ? ChangeStep.Delivered : report.Step,
            StepBootId = report.Origin.Stamp.BootId,
            DeliveredAt = change.DeliveredAt ?? now,
        };
        (next, var start) = NoteStart(next, now);
        DomainEvent fact = change.DeliveredAt is null
            ? new ChangeDelivered(change.Rollout, change.Generation) { Step = next.Step, Retry = change.Retry, Install = start }
            : new ChangeProgressed(change.Rollout, change.Generation, next.Step) { Retry = change.Retry, Install = start };
        return (device with { Change = next }, [fact]);
    }

    /// <summary>
    /// What a hello says of an image, whatever generation it names. The device's <see cref="Device.Os"/> is the hello's already.
    /// </summary>
    internal static (Device Next, DomainEvent? Fact) TakeBoot(Device device, ReportedOs os, DateTimeOffset now)
    {
        if (device.Change is not { Kind: ChangeKind.OsImage } change)
        {
            return TakeRegression(device, os, now);
        }

        if (os.BootId != change.BootIdAtOffer && os.ImageDigest == change.Target.Digest)
        {
            return Close(device, change, change.StepsLeft > 0 ? ChangeOutcome.StepTaken : ChangeOutcome.Succeeded, "", now);
        }

        // An unknown digest is neither; a boot while it still downloads decides nothing.
        var wasInstalling = change.Step is ChangeStep.Installing or ChangeStep.Rebooting;
        if (wasInstalling && os.BootId != change.StepBootId && os.ImageDigest.Length > 0 && os.ImageDigest != change.Target.Digest)
        {
            return Close(device, change, ChangeOutcome.Failed, RunsAnotherImage, now);
        }

        return (device, null);
    }

    /// <summary>A hello that names the generation delivers the change, whatever it consists of, unless the boot has ended it.</summary>
    internal static (Device Next, DomainEvent? Fact) TakeDelivery(Device device, ReportedOs os, DateTimeOffset now)
    {
        if (device.Change is not { DeliveredAt: null } change || device.GenerationReached < change.Generation)
        {
            return (device, null);
        }

        var delivered = change with { Step = ChangeStep.Delivered, DeliveredAt = now, StepBootId = os.BootId };
        return (device with { Change = delivered }, new ChangeDelivered(change.Rollout, change.Generation) { Retry = change.Retry });
    }

    /// <summary>
    /// A success that is none any more: the rollout's gate learns of it, also after the wave has passed. A step that the device fell back
    /// from ends nothing, but is not ordered any longer: the next offer needs a permit.
    /// </summary>
    private static (Device Next, DomainEvent? Fact) TakeRegression(Device device, ReportedOs os, DateTimeOffset now) =>
        ClosedChanges.FindNewest(device, ChangeKind.OsImage) switch
        {
            { } last when os.ImageDigest.Length == 0 || os.ImageDigest == last.TargetDigest => (device, null),
            { Outcome: ChangeOutcome.Succeeded } last when !ClosedChanges.WasTakenBackSince(device, last, os.ImageDigest) =>
                Reopen(device, last, RunsAnotherImage, now),
            { Outcome: ChangeOutcome.StepTaken } step when device.Desired.Generation == step.Generation => (Withdraw(device), null),
            _ => (device, null),
        };

    /// <summary>Takes a success back, which is the newest of its kind. What a newer change has ordered since stays ordered.</summary>
    internal static (Device Next, DomainEvent Fact) Reopen(Device device, ClosedChange known, string reason, DateTimeOffset now)
    {
        var reopened = known with { Outcome = ChangeOutcome.Failed, Reason = reason, ClosedAt = now, Settings = null };
        var next = device.Desired.Generation == known.Generation ? Withdraw(device) : device;
        return (ClosedChanges.Replace(next, known, reopened),
            new ChangeClosed(known.Rollout, known.Generation, ChangeOutcome.Failed, reason) { Retry = known.Retry });
    }

    internal static (Device Next, DomainEvent Fact) Close(
        Device device, ChangeInProgress change, ChangeOutcome outcome, string reason, DateTimeOffset now)
    {
        var closed = new ClosedChange(change.Rollout, change.Generation, outcome, reason, now, change.Target.Digest)
        {
            Retry = change.Retry,
            PreviousDigest = change.PreviousDigest,
            Kind = change.Kind,
            Settings = outcome == ChangeOutcome.Succeeded ? change.Settings : null,
            SupersedesBefore = change.SupersedesBefore,
            StepsTaken = change.StepsTaken + (outcome == ChangeOutcome.StepTaken ? 1 : 0),
            StepGeneration = outcome == ChangeOutcome.StepTaken
                ? change.Generation
                : LastOf(device, change.Rollout)?.StepGeneration ?? 0,
            WasRecalled = change.RecalledBy > 0,
            WorkedInBoot = WorkedIn(device, change, outcome),
            HadBegun = outcome is ChangeOutcome.TimedOut or ChangeOutcome.Skipped && change.InstallsSince is not null,
        };
        var earlier = Remember(device, change.Rollout);
        var next = device with
        {
            Change = null,
            LastChange = closed,
            EarlierChanges = change.Kind == ChangeKind.Settings && !ClosedChanges.WasNone(closed)
                ? ClosedChanges.ForgetValues(earlier)
                : earlier,
        };

        // A device that was asked to give it up has been told of such a generation already.
        next = outcome is ChangeOutcome.Succeeded or ChangeOutcome.StepTaken ? Complete(next, change)
            : change.IsRecalled ? next
            : Withdraw(next);
        return (next, new ChangeClosed(change.Rollout, change.Generation, outcome, reason) { Retry = change.Retry });
    }

    /// <summary>What a success makes of the device beside what it reports itself.</summary>
    private static Device Complete(Device device, ChangeInProgress change) => change.Kind switch
    {
        ChangeKind.OsImage => device with
        {
            Track = change.Track,
            Installs = device.Installs + 1,
            OsFloor = ImageConditions.RaiseFloor(device.OsFloor, change.SecurityFloor),
        },
        ChangeKind.Settings => device,
        _ => throw new UnreachableException($"A change of the kind {change.Kind} ended."),
    };

    /// <summary>
    /// A newer generation that orders nothing: a device that comes back late must not install what is closed, nor fetch it, nor set it.
    /// </summary>
    private static Device Withdraw(Device device) => device with { Desired = new DesiredState(device.Desired.Generation + 1, null, null) };

    /// <summary>Of one rollout the last attempt alone: ten of them must not push out what is known of other rollouts.</summary>
    private static ImmutableArray<ClosedChange> Remember(Device device, ResourceId rollout)
    {
        var earlier = device.EarlierChanges.RemoveAll(change => change.Rollout == rollout);
        if (device.LastChange is not { } last || last.Rollout == rollout)
        {
            return earlier;
        }

        return (earlier.Length < Device.EarlierChangesMax ? earlier : earlier.RemoveAt(0)).Add(last);
    }

    /// <summary>
    /// What the device says to an attempt that it knows. An offer that nobody was told of was none: the same attempt is offered again.
    /// So it is behind a step that was taken.
    /// </summary>
    private static OfferDecision? FindAnswer(Device device, ChangeOffer offer)
    {
        var known = FindKnown(device, offer.Rollout, offer.Retry);
        var goesOn = known is { Outcome: ChangeOutcome.Withdrawn, Reason: OfferHandover.Reason } or { Outcome: ChangeOutcome.StepTaken };
        return goesOn && known!.Retry <= offer.Retry ? null : known;
    }

    private static OfferDecision? FindKnown(Device device, ResourceId rollout, int retry)
    {
        if (device.Change is { } change && change.Rollout == rollout)
        {
            return InProgress(device, change);
        }

        // However the way there ended, the way back is another one.
        var ended = LastOf(device, rollout);
        var isAnother = ended is not null
            && (WayBack.Is(retry) != WayBack.Is(ended.Retry) || FinalReasons.MayRetry(ended.Outcome, ended.Reason));
        return ended is null || (ended.Retry < retry && isAnother) ? null : Ended(device, ended);
    }

    /// <summary>The device is not in service: it leaves the rollout, or was never for it (rollouts.md 6).</summary>
    private static OfferDecision? FindAbsence(Device device)
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
                return null;
            default:
                throw new UnreachableException($"Device '{device.Id}' has unknown state {device.State}.");
        }
    }

    /// <summary>What no waiting will change (rollouts.md 6 and 23).</summary>
    private static OfferDecision? FindObstacle(Device device, ChangeOffer offer)
    {
        if (FindAbsence(device) is { } absent)
        {
            return absent;
        }

        return offer.Kind switch
        {
            ChangeKind.OsImage => FindImageObstacle(device, offer),
            ChangeKind.Settings =>
                SettingsChanges.FindObstacle(device, offer.Settings!) is { } reason ? Closed(device, ChangeOutcome.Skipped, reason) : null,
            _ => throw new UnreachableException($"A change of the kind {offer.Kind} was offered."),
        };
    }

    private static OfferDecision? FindImageObstacle(Device device, ChangeOffer offer)
    {
        var reason = IsSuperseded(device, offer) ? Superseded : offer.Needs.FindObstacle(StepPath.SituationOf(device));
        return reason is null || (ImageConditions.MayStepsHelp(reason) && StepPath.OfferedStep(device, offer) is not null)
            ? null
            : Closed(device, ChangeOutcome.Skipped, reason);
    }

    private static OfferDecision InProgress(Device device, ChangeInProgress change) =>
        new(device, [], OfferVerdict.InProgress)
        {
            DeliveredAt = change.DeliveredAt,
            InstallsSince = change.InstallsSince,
            Retry = change.Retry,
            FirstOfferedAt = change.FirstOfferedAt,
        };

    private static OfferDecision Ended(Device device, ClosedChange change) => Closed(
        device,
        // A silo of an earlier version recorded it as an offer that comes again.
        change is { Outcome: ChangeOutcome.Withdrawn, Reason: WayBack.NoWayBack or StepRevoked } ? ChangeOutcome.Skipped : change.Outcome,
        change.Reason) with { Retry = change.Retry, EndedAt = change.ClosedAt };

    private static OfferDecision Closed(Device device, ChangeOutcome outcome, string reason) =>
        new(device, [], OfferVerdict.Closed) { Outcome = outcome, Reason = reason };
}
