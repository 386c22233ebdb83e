using Muster.Domain.Devices;
using Muster.Domain.Identity;

namespace Muster.Domain.Trust;

/// <summary>Decides what follows from the suspicion that a device's identity is used twice, and what an operator makes of it.</summary>
public static class SuspicionRules
{
    /// <summary>
    /// Whether a suspicion would be news: of a device in service or in quarantine of which none is known, about a pair (or none) that no
    /// operator has dismissed.
    /// </summary>
    public static bool IsNews(Device device, Sha256Hash? pair)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device is { State: DeviceState.InService or DeviceState.Quarantined, Suspicion: null }
            && !SuspectedPair.IsDismissed(device, pair);
    }

    /// <summary>Whether the rule's quarantine needs a permit of <see cref="QuarantineBudget"/>: the device is not set apart yet.</summary>
    public static bool NeedsPermit(Device device, TrustAction action) =>
        action == TrustAction.Quarantine && device is { State: DeviceState.InService };

    /// <summary>Raises the suspicion; the device is restricted from then on, and quarantined when the rule and the budget allow.</summary>
    public static Decision<Device> Suspect(
        Device device, SuspicionKind kind, string detail, TrustAction action, bool isPermitted, DateTimeOffset now, Sha256Hash? pair = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(detail);
        if (!IsNews(device, pair) || action == TrustAction.Ignore)
        {
            return Decision.Unchanged(device);
        }

        var isApart = device.State == DeviceState.Quarantined;
        var state = action != TrustAction.Quarantine ? SuspicionState.Reported
            : isApart || isPermitted ? SuspicionState.Quarantined
            : SuspicionState.Waiting;
        var cut = detail.Length > CloneSuspicion.DetailLengthMax ? detail[..CloneSuspicion.DetailLengthMax] : detail;
        var suspicion = new CloneSuspicion(kind, state, now, cut) { Pair = pair };
        var suspected = device with { Suspicion = suspicion };
        var raised = new CloneSuspected(suspicion);
        if (state == SuspicionState.Quarantined && !isApart)
        {
            var order = new QuarantineOrder(Actor.Rule($"trust.{kind}"), $"The identity may be used twice: {kind}.", now);
            var moved = DeviceLifecycle.QuarantineBy(suspected, order);
            return Decision.Accept(moved.Next, [raised, .. moved.Events]);
        }

        var (next, closed) = DeviceChanges.Remove(suspected, "CLONE_SUSPECTED", now);
        return closed is null ? Decision.Accept(next, raised) : Decision.Accept(next, raised, closed);
    }

    /// <summary>An operator confirms: the quarantine is his from then on.</summary>
    public static Decision<Device> Confirm(Device device, Actor by, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (Refuse(device, cause) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        var suspicion = device.Suspicion!;
        if (suspicion.State == SuspicionState.Confirmed)
        {
            return Decision.Unchanged(device);
        }

        var confirmed = device with { Suspicion = suspicion with { State = SuspicionState.Confirmed } };
        var fact = new CloneConfirmed(suspicion.Kind, cause);
        var order = new QuarantineOrder(by, cause, now);
        switch (device.State)
        {
            case DeviceState.InService:
                var moved = DeviceLifecycle.QuarantineBy(confirmed, order);
                return Decision.Accept(moved.Next, [fact, .. moved.Events]);
            case DeviceState.Quarantined:
                return Decision.Accept(confirmed with { Quarantine = order }, fact);
            default:
                return Decision.Accept(confirmed, fact);
        }
    }

    /// <summary>
    /// An operator dismisses: what the suspicion alone had quarantined is back in service. What its hellos showed meanwhile he has not
    /// judged: it is not accepted with this, and quarantines in the suspicion's place where the rules say so. The same key under the same
    /// serial raises no other.
    /// </summary>
    public static Decision<Device> Dismiss(Device device, TrustRules rules, Actor by, string cause, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(rules);
        if (Refuse(device, cause) is { } refused)
        {
            return Decision.Refuse(device, refused);
        }

        var suspicion = device.Suspicion!;
        var cleared = SuspectedPair.Dismiss(device);
        var fact = new SuspicionDismissed(suspicion.Kind, cause);
        if (device.State != DeviceState.Quarantined || device.Quarantine?.By != Actor.Rule($"trust.{suspicion.Kind}"))
        {
            return Decision.Accept(cleared, fact);
        }

        if (TrustEvaluator.FindOrder(device.Findings, rules, now) is { } order)
        {
            return Decision.Accept(cleared with { Quarantine = order }, fact, new DeviceQuarantined(order.Cause) { By = order.By });
        }

        var moved = DeviceLifecycle.ReleaseBy(cleared, by, cause, now);
        return Decision.Accept(moved.Next with { Findings = device.Findings }, [fact, .. moved.Events]);
    }

    private static FleetError? Refuse(Device device, string cause) =>
        DeviceLifecycle.CheckCause(cause) ?? (device.Suspicion is null ? TrustErrors.NotSuspected(device.Id) : null);
}
