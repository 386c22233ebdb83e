using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Operators;

namespace Muster.Domain.Rollouts;

/// <summary>Decides whether a rollout may be rolled back, and by whom.</summary>
public static class RollBackOrders
{
    /// <summary>
    /// True when nobody has to approve rollouts, or when this one was approved with a failure gate that rolls back: then its way back is
    /// approved too (rollouts.md 19). Otherwise a gate that fires suspends.
    /// </summary>
    /// <param name="rollout">The rollout.</param>
    /// <param name="floor">How many approvals the installation asks for.</param>
    public static bool IsApproved(Rollout rollout, int floor)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var needed = RolloutApprovals.Needed(rollout.Spec, floor);
        return needed == 0
            || (rollout.Spec.FailureGate.Action == FailureAction.RollBack && rollout.ValidApprovals.Length >= needed);
    }

    /// <summary>Whether devices with the earlier image could be brought back to it, as far as the catalogue tells.</summary>
    /// <param name="previous">What they run; null when it is not published.</param>
    /// <param name="target">The rollout's image.</param>
    /// <param name="path">The images of the steps to it, of which each raises the floor of who takes it.</param>
    public static bool HasWayBack(RolloutImage? previous, RolloutImage? target, ImmutableArray<StepImage> path) =>
        previous is not null && EnrollmentRules.IsAtLeast(
            previous.Target.Version,
            path.Aggregate(
                target?.Conditions?.SecurityFloor ?? "",
                (floor, step) => ImageConditions.RaiseFloor(floor, step.Conditions.SecurityFloor)));

    /// <summary>
    /// An operator orders the way back of a rollout that is not over. Where rollouts need approvals and this way back has none, he is an
    /// approver other than the authors. The same order again changes nothing.
    /// </summary>
    /// <param name="rollout">The rollout.</param>
    /// <param name="floor">How many approvals the installation asks for.</param>
    /// <param name="roles">What he may do in this call.</param>
    /// <param name="order">Who and why.</param>
    public static Decision<RolloutPlan> RollBack(
        Rollout rollout, int floor, ImmutableArray<OperatorRole> roles, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var plan = rollout.Plan;
        if (plan.State is RolloutState.RollingBack or RolloutState.RolledBack)
        {
            return Decision.Unchanged(plan);
        }

        if (!plan.IsLive || plan.RollBack is not null)
        {
            return Decision.Refuse(plan, RolloutErrors.WrongState(order.Rollout.Value, plan.State, "rolled back"));
        }

        if (rollout.Spec.Kind == ChangeKind.Settings)
        {
            return Decision.Refuse(plan, RolloutErrors.SettingsNotRolledBack(order.Rollout.Value));
        }

        if (!IsApproved(rollout, floor) && RolloutApprovals.CheckApprover(rollout, order.Actor, roles) is { } denied)
        {
            return Decision.Refuse(plan, denied);
        }

        var draft = new PlanDraft(order.Rollout, plan, order.Now, order.Actor);
        RollBackPlanner.Begin(draft, wave: null, order.Reason, string.IsNullOrWhiteSpace(order.Reason)
            ? $"Rolled back by {order.Actor}."
            : $"Rolled back by {order.Actor}: {order.Reason}");
        return Decision.Accept(draft.Plan, draft.Facts);
    }
}
