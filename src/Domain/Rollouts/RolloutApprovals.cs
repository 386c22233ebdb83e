using Muster.Domain.Operators;

namespace Muster.Domain.Rollouts;

/// <summary>Who approves, and what he has seen.</summary>
/// <param name="Approver">Who.</param>
/// <param name="Roles">What he may do in this call.</param>
/// <param name="Etag">
/// What he has seen: <see cref="RolloutSpec.Fingerprint"/>, or of a wave <see cref="RolloutPlan.ApprovalEtag"/>.
/// </param>
/// <param name="Now">The time of the decision.</param>
public sealed record ApprovalOrder(Actor Approver, ImmutableArray<OperatorRole> Roles, string Etag, DateTimeOffset Now);

/// <summary>Who writes a draft anew.</summary>
/// <param name="Editor">Who.</param>
/// <param name="Spec">The whole spec, valid.</param>
/// <param name="Etag">The <see cref="RolloutSpec.Fingerprint"/> that he has read; empty when he does not care.</param>
/// <param name="Now">The time of the decision.</param>
public sealed record EditOrder(Actor Editor, RolloutSpec Spec, string Etag, DateTimeOffset Now);

/// <summary>
/// Decides what approvals do to a rollout. An approval is of what the approver names, has the role approver behind it, and is never by one
/// of the rollout's authors.
/// </summary>
public static class RolloutApprovals
{
    /// <summary>How many approvals of its spec a rollout needs: what the spec asks for, and at least what the installation does.</summary>
    public static int Needed(RolloutSpec spec, int floor)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return Math.Max(spec.ApprovalsRequired, floor);
    }

    /// <summary>
    /// A draft waits for approvals exactly as long as it has too few of its spec, also when the installation asks for more or fewer than
    /// at the last commit.
    /// </summary>
    public static Rollout Settle(Rollout rollout, int floor)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        if (!rollout.Plan.IsDraft)
        {
            return rollout;
        }

        var isApproved = rollout.ValidApprovals.Length >= Needed(rollout.Spec, floor);
        return rollout with
        {
            Plan = rollout.Plan with { State = isApproved ? RolloutState.Draft : RolloutState.AwaitingApproval },
        };
    }

    /// <summary>Null when enough operators have approved.</summary>
    public static FleetError? CheckStart(Rollout rollout, int floor)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        return Settle(rollout, floor).Plan.State == RolloutState.AwaitingApproval
            ? RolloutErrors.NotApproved(rollout.Id.Value, rollout.ValidApprovals.Length, Needed(rollout.Spec, floor))
            : null;
    }

    /// <summary>
    /// A start found how many members the image would take to an older version. With too few approvals for that the draft waits for them,
    /// and shows it; what it waited for by an earlier count and needs no more, it does not wait for any more.
    /// </summary>
    public static Decision<Rollout> FindDowngrades(Rollout draft, int devices, ApprovalPolicy policy, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var known = draft with { Downgrades = devices };
        var next = Settle(known, policy.Of(known));
        var isHealed = draft.Plan.State == RolloutState.AwaitingApproval && next.Plan.State == RolloutState.Draft;
        if (!isHealed && (next.Plan.State != RolloutState.AwaitingApproval || devices == draft.Downgrades))
        {
            return Decision.Unchanged(next);
        }

        var needed = Needed(next.Spec, policy.Of(next));
        var told = new PlanDraft(order.Rollout, next.Plan, order.Now, order.Actor);
        told.Tell(new RolloutDowngradesFound(order.Rollout, devices, needed), PlanReasons.AwaitingApproval, null, isHealed
            ? $"{devices} devices would go back to {next.Spec.TargetVersion}: it waits for no approval any more."
            : $"Not started: {devices} devices would go back to {next.Spec.TargetVersion}, which needs {needed} approvals.");
        return Decision.Accept(next with { Plan = told.Plan }, told.Facts);
    }

    /// <summary>An operator approves a draft's spec. The same approval again changes nothing, also after the start.</summary>
    public static Decision<Rollout> Approve(Rollout rollout, int floor, ApprovalOrder order)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        ArgumentNullException.ThrowIfNull(order);
        if (CheckApprover(rollout, order.Approver, order.Roles) is { } denied)
        {
            return Decision.Refuse(rollout, denied);
        }

        var valid = rollout.ValidApprovals;
        var isCurrent = order.Etag == rollout.Spec.Fingerprint;
        if (isCurrent && valid.Any(approval => approval.Approver.Name == order.Approver.Name))
        {
            return Decision.Unchanged(rollout);
        }

        if (!rollout.Plan.IsDraft)
        {
            return Decision.Refuse(rollout, RolloutErrors.WrongState(rollout.Id.Value, rollout.Plan.State, "approved"));
        }

        if (!isCurrent)
        {
            return Decision.Refuse(rollout, RolloutErrors.SpecChanged(rollout.Id.Value));
        }

        // One more than needed counts when the installation asks for more later; what nobody can ask for is not kept.
        return valid.Length < RolloutLimits.ApprovalsMax
            ? Accept(rollout, valid.Add(new RolloutApproval(order.Approver, order.Now, order.Etag)), floor, order)
            : Decision.Unchanged(rollout);
    }

    /// <summary>A draft is written anew, as a whole. Approvals of what it was before do not count any more.</summary>
    public static Decision<Rollout> Edit(Rollout rollout, int floor, EditOrder order)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        ArgumentNullException.ThrowIfNull(order);
        if (!rollout.Plan.IsDraft)
        {
            return Decision.Refuse(rollout, RolloutErrors.WrongState(rollout.Id.Value, rollout.Plan.State, "edited"));
        }

        if (order.Spec == rollout.Spec)
        {
            return Decision.Unchanged(rollout);
        }

        if (order.Etag.Length > 0 && order.Etag != rollout.Spec.Fingerprint)
        {
            return Decision.Refuse(rollout, RolloutErrors.SpecChanged(rollout.Id.Value));
        }

        if (order.Spec.RetryOf != rollout.Spec.RetryOf)
        {
            return Decision.Refuse(rollout, RolloutErrors.SpecInvalid(
                [new("retry_of", "is fixed when the rollout is created: create another one")]));
        }

        var editors = rollout.Editors.Any(editor => editor.Name == order.Editor.Name)
            ? rollout.Editors
            : rollout.Editors.Add(order.Editor);
        if (editors.Length > RolloutLimits.EditorsMax)
        {
            return Decision.Refuse(rollout, RolloutErrors.EditorsFull(rollout.Id.Value));
        }

        var draft = new PlanDraft(rollout.Id, rollout.Plan, order.Now, order.Editor);
        draft.Tell(new RolloutEdited(rollout.Id, order.Spec), PlanReasons.Edited, null,
            $"Edited by {order.Editor}; {rollout.ValidApprovals.Length} approvals are void.");
        var next = rollout with { Spec = order.Spec, Plan = draft.Plan, Approvals = [], Editors = editors };
        return Decision.Accept(Settle(next, floor), draft.Facts);
    }

    /// <summary>As <see cref="RolloutLifecycle.Resume"/>; an override is an approver's where the spec says so.</summary>
    public static Decision<RolloutPlan> Resume(Rollout rollout, bool accept, ImmutableArray<OperatorRole> roles, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var isOverride = accept && rollout.Plan.State == RolloutState.Suspended;
        return isOverride && rollout.Spec.OverrideNeedsApprover && CheckApprover(rollout, order.Actor, roles) is { } denied
            ? Decision.Refuse(rollout.Plan, denied)
            : RolloutLifecycle.Resume(rollout.Plan, rollout.Spec, accept, order);
    }

    /// <summary>
    /// Lets a wave that waits for an approver pass: the planner passes it, after it has evaluated the gates once more. The same approval
    /// again changes nothing.
    /// </summary>
    public static Decision<RolloutPlan> ApproveWave(Rollout rollout, int wave, ApprovalOrder order)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        ArgumentNullException.ThrowIfNull(order);
        var plan = rollout.Plan;
        if (CheckApprover(rollout, order.Approver, order.Roles) is { } denied)
        {
            return Decision.Refuse(plan, denied);
        }

        var known = wave >= 0 && wave < plan.Waves.Length ? plan.Waves[wave] : null;
        if (known?.Approval is { } given && (given.Approver, given.Etag) == (order.Approver, order.Etag))
        {
            return Decision.Unchanged(plan);
        }

        if (plan.State != RolloutState.Running)
        {
            return Decision.Refuse(plan, RolloutErrors.WrongState(rollout.Id.Value, plan.State, "approved to go on"));
        }

        if (known is not { State: WaveState.AwaitingApproval, Approval: null })
        {
            return Decision.Refuse(plan, RolloutErrors.WaveNotAwaiting(rollout.Id.Value, wave, known));
        }

        if (order.Etag != plan.ApprovalEtag(wave))
        {
            return Decision.Refuse(plan, RolloutErrors.WaveChanged(rollout.Id.Value, wave));
        }

        var draft = new PlanDraft(rollout.Id, plan, order.Now, order.Approver);
        draft.SetWave(wave, known with { Approval = new WaveApproval(order.Approver, order.Now, order.Etag) });
        draft.Tell(new WaveApproved(rollout.Id, wave, known.Totals), PlanReasons.WaveApproved, wave,
            $"Wave {wave} approved by {order.Approver}: {known.Totals.FailedNow} of {known.Totals.FinishedNow} finished devices failed.");
        return Decision.Accept(draft.Plan, draft.Facts);
    }

    private static Decision<Rollout> Accept(
        Rollout rollout, ImmutableArray<RolloutApproval> approvals, int floor, ApprovalOrder order)
    {
        var needed = Needed(rollout.Spec, floor);
        var draft = new PlanDraft(rollout.Id, rollout.Plan, order.Now, order.Approver);
        draft.Tell(new RolloutApproved(rollout.Id, order.Etag, approvals.Length, needed), PlanReasons.Approved, null,
            $"Approved by {order.Approver}: {approvals.Length} approvals, {needed} are needed.");
        return Decision.Accept(Settle(rollout with { Plan = draft.Plan, Approvals = approvals }, floor), draft.Facts);
    }

    /// <summary>Null when he may approve.</summary>
    internal static FleetError? CheckApprover(Rollout rollout, Actor approver, ImmutableArray<OperatorRole> roles)
    {
        if (roles.IsDefaultOrEmpty || !roles.Contains(OperatorRole.Approver))
        {
            return RolloutErrors.ApproverRoleMissing(rollout.Id.Value, approver.Name);
        }

        return rollout.IsAuthor(approver) ? RolloutErrors.ApproverIsAuthor(rollout.Id.Value, approver.Name) : null;
    }
}
