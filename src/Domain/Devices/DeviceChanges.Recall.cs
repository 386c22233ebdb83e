namespace Muster.Domain.Devices;

/// <summary>A device that may have an offer of a cancelled rollout is asked to give it up, and may go on (rollouts.md 21).</summary>
public static partial class DeviceChanges
{
    /// <summary>
    /// As <see cref="Expire"/>; a change whose time is not over is recalled, once: a newer generation orders nothing, and the change stays
    /// in progress until the device names that one or ends it, or its time is over. Asked about another attempt, nothing is recalled.
    /// </summary>
    public static OfferDecision Recall(Device device, ResourceId rollout, int retry, ChangeTimers timers, DateTimeOffset now)
    {
        var decision = Expire(device, rollout, retry, timers, now);
        if (!decision.Events.IsEmpty
            || device.Change is not { RecalledBy: 0 } change
            || change.Rollout != rollout
            || change.Retry != retry)
        {
            return decision;
        }

        var next = Withdraw(device);
        var recalled = change with { RecalledBy = next.Desired.Generation };
        var fact = new ChangeRecalled(rollout, change.Generation, recalled.RecalledBy) { Retry = retry };
        return decision with { Next = next with { Change = recalled }, Events = [fact] };
    }

    /// <summary>The report is about the generation that recalls the change, and says that the device does not give it up.</summary>
    internal static bool IsRefusalOfRecall(Device device, ObservedProgress report) =>
        NamesRecall(device.Change, report.Generation) && report.Outcome is ChangeOutcome.Failed or ChangeOutcome.Rejected;

    /// <summary>
    /// The report names the generation that recalls the change and does not give it up: it refuses, or speaks of a step, and there is none
    /// in a document that orders nothing.
    /// </summary>
    internal static bool LeavesRecallOpen(Device device, ObservedProgress report) =>
        IsRefusalOfRecall(device, report) || IsStepOfRecall(device.Change, report);

    /// <summary>
    /// What a hello or an inventory names is what the device has seen. It has taken that over, but for a generation that takes from it what
    /// it may be working on still: one that recalls a change that goes on and, in the boot in which it worked on a change that its timer
    /// ended, the one behind that. Unless it refuses it is told again, and a way back waits for it (<see cref="WayBack"/>).
    /// </summary>
    /// <param name="device">The device, of which everything else that it said is taken.</param>
    /// <param name="named">The generation, which was issued.</param>
    /// <param name="bootId">The boot in which it was named.</param>
    internal static Device Reach(Device device, long named, string bootId)
    {
        var highest = device switch
        {
            { Change: { RecalledBy: > 0 } change } => change.RecalledBy - 1,
            { Change: null, LastChange: { } last } when last.WorkedInBoot == bootId => last.Generation,
            _ => named,
        };
        return device with { GenerationReached = Math.Max(device.GenerationReached, Math.Min(named, highest)) };
    }

    /// <summary>
    /// A hello that names the generation that recalls the change, whose boot has not ended it. In the boot in which the device works on the
    /// change it is no answer: whoever names what he has seen may be unable to stop, or its word that it installs is on its way. A report
    /// is, or the next boot.
    /// </summary>
    internal static (Device Next, DomainEvent? Fact) TakeRecall(Device device, ReportedOs os, long generation, DateTimeOffset now) =>
        device.Change is { IsRecalled: true } change
        && NamesRecall(change, generation)
        && !(change.Step > ChangeStep.Delivered && os.BootId == change.StepBootId)
            ? GiveUp(device, change, now)
            : (device, null);

    /// <summary>The device has given the change up; what it had refused before is no word any more, nor the boot in which it did.</summary>
    internal static (Device Next, DomainEvent Fact) GiveUp(Device device, ChangeInProgress change, DateTimeOffset now) =>
        Close(device, change with { IsRecallRefused = false }, ChangeOutcome.Withdrawn, OfferHandover.CancelledReason, now);

    internal static bool NamesRecall(ChangeInProgress? change, long generation) =>
        change is { RecalledBy: > 0 } && generation >= change.RecalledBy;

    /// <summary>
    /// Whoever does not give it up has it and works on it in this boot, also when he never said so; one that installs does already.
    /// </summary>
    private static ChangeInProgress Refuse(ChangeInProgress change, string bootId, DateTimeOffset now) => change with
    {
        IsRecallRefused = true,
        Step = change.Step < ChangeStep.Delivered ? ChangeStep.Delivered : change.Step,
        DeliveredAt = change.DeliveredAt ?? now,
        StepBootId = change.Step is ChangeStep.Installing or ChangeStep.Rebooting ? change.StepBootId : bootId,
    };

    private static bool IsStepOfRecall(ChangeInProgress? change, ObservedProgress report) =>
        NamesRecall(change, report.Generation) && report is { Outcome: ChangeOutcome.Unspecified, Step: > ChangeStep.Delivered };

    /// <summary>A report of the generation that recalls the change: the device has given it up, or refuses to.</summary>
    private static (Device Next, ImmutableArray<DomainEvent> Facts) TakeAnswer(
        Device device, ChangeInProgress change, ObservedProgress report, DateTimeOffset now)
    {
        if (IsStepOfRecall(change, report))
        {
            return (device, [new LateReportIgnored(report.Generation, report.Step)]);
        }

        if (!IsRefusalOfRecall(device, report))
        {
            return Alone(GiveUp(device, change, now));
        }

        var refusal = new ChangeRecallRefused(change.Rollout, change.Generation, report.Reason) { Retry = change.Retry };
        var next = device with { Change = Refuse(change, report.Origin.Stamp.BootId, now) };
        return change.DeliveredAt is not null
            ? (next, [refusal])
            : (next, [new ChangeDelivered(change.Rollout, change.Generation) { Retry = change.Retry }, refusal]);
    }

    private static (Device Next, ImmutableArray<DomainEvent> Facts) Alone((Device Next, DomainEvent Fact) step) => (step.Next, [step.Fact]);
}
