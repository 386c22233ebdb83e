using Muster.Domain.Devices;
using Muster.Domain.Strategies;

namespace Muster.Domain.Rollouts;

/// <summary>What a freeze found.</summary>
/// <param name="Cuts">The waves.</param>
/// <param name="Partitions">The partitions that hold members, or can come to, ascending.</param>
public sealed record FrozenMembers(ImmutableArray<WaveCut> Cuts, ImmutableArray<int> Partitions)
{
    /// <summary>Where they were, by the tenant's site rules; null when it is not known of all of them.</summary>
    public SiteTally? Sites { get; init; }

    /// <summary>How many the image would take to an older version; null when nobody asked, or not all partitions said.</summary>
    public int? Downgrades { get; init; }

    /// <summary>Whom the image is for; null when nobody asked, or not all partitions said.</summary>
    public FitTally? Fit { get; init; }
}

/// <summary>Who gives a command and why; the reason may be empty where it is not asked for.</summary>
public readonly record struct RolloutOrder(ResourceId Rollout, Actor Actor, string Reason, DateTimeOffset Now);

/// <summary>
/// Decides what an operator's command does to a rollout. Every command that touches offers raises the epoch; it may be
/// acknowledged only after that epoch is raised in every partition that holds members (rollouts.md 20).
/// </summary>
public static class RolloutLifecycle
{
    /// <summary>Starts a draft with frozen members. A repeated start changes nothing.</summary>
    public static Decision<RolloutPlan> Start(RolloutPlan plan, RolloutSpec spec, FrozenMembers frozen, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(frozen);
        if (plan.State != RolloutState.Draft)
        {
            return RefuseUnless(plan, plan.State == RolloutState.Running, order, "started");
        }

        var members = frozen.Cuts.Sum(cut => cut.Members);
        if (members == 0)
        {
            return Decision.Refuse(plan, RolloutErrors.NoDevices(order.Rollout.Value, spec.Filter));
        }

        var cuts = LateJoiners.AddWave(frozen.Cuts, spec);
        var noGrants = ImmutableArray.CreateRange(cuts, _ => default(WaveGrant));
        var draft = new PlanDraft(order.Rollout, plan with
        {
            State = RolloutState.Running,
            Epoch = plan.Epoch + 1,
            Members = members,
            Waves = [.. cuts.Select(cut => new WavePlan { Cut = cut, State = WaveState.Pending })],
            Shares = [.. frozen.Partitions.Order().Select(partition => new SharePlan(partition, 0, noGrants))],
            StartedAt = order.Now,
            BurnUp = BurnUp.Empty,
        }, order.Now, order.Actor);
        ImmutableArray<int> sizes = [.. cuts.Select(cut => cut.Members)];
        draft.Tell(new RolloutStarted(order.Rollout, draft.Plan.Epoch, members, sizes), PlanReasons.Started, null,
            $"Started with {members} devices in waves of {string.Join(", ", frozen.Cuts.Select(cut => cut.Members))}"
            + (spec.IncludeLateJoiners ? ", and a last one for those that join." : "."));
        draft.OpenWave(0);
        return Decision.Accept(draft.Plan, draft.Facts);
    }

    /// <summary>Stops new offers. A repeated pause changes nothing.</summary>
    public static Decision<RolloutPlan> Pause(RolloutPlan plan, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        if (!plan.IsOffering)
        {
            return RefuseUnless(plan, plan.State == RolloutState.Paused, order, "paused");
        }

        var draft = Raise(plan, RolloutState.Paused, order);
        draft.Tell(new RolloutPaused(order.Rollout, draft.Plan.Epoch, order.Reason), PlanReasons.Paused, null, Text("Paused", order));
        return Decision.Accept(draft.Plan, draft.Facts);
    }

    /// <summary>
    /// Goes on; the planner evaluates the gates before it grants anything. After a gate only with <paramref name="accept"/>
    /// and a reason: then the failures so far, and a success gate that cannot be reached any more, are accepted.
    /// </summary>
    public static Decision<RolloutPlan> Resume(RolloutPlan plan, RolloutSpec spec, bool accept, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(spec);
        switch (plan.State)
        {
            case RolloutState.Suspended when !accept:
                return Decision.Refuse(plan, RolloutErrors.OverrideRequired(order.Rollout.Value));
            case RolloutState.Suspended when string.IsNullOrWhiteSpace(order.Reason)
                || order.Reason.Length > RolloutLimits.ReasonCharactersMax:
                return Decision.Refuse(plan, RolloutErrors.ReasonRequired(order.Rollout.Value));
            case RolloutState.Suspended or RolloutState.Paused:
                break;
            default:
                return RefuseUnless(plan, plan.IsOffering, order, "resumed");
        }

        var overridden = plan.State == RolloutState.Suspended;
        var way = plan.RollBack is null ? RolloutState.Running : RolloutState.RollingBack;
        var draft = Raise(overridden ? Waive(plan, spec) : plan, way, order);
        draft.Tell(
            new RolloutResumed(order.Rollout, draft.Plan.Epoch, overridden, order.Reason),
            overridden ? PlanReasons.Overridden : PlanReasons.Resumed,
            null,
            Text(overridden ? "Resumed against a gate" : "Resumed", order));
        return Decision.Accept(draft.Plan, draft.Facts);
    }

    /// <summary>Ends the rollout: no new offers, and Cancelled when no device is in progress. A repeated cancel changes nothing.</summary>
    public static Decision<RolloutPlan> Cancel(RolloutPlan plan, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        switch (plan.State)
        {
            case RolloutState.Running or RolloutState.Paused or RolloutState.Suspended or RolloutState.RollingBack:
                var draft = Raise(plan, RolloutState.Cancelling, order);
                draft.Tell(new RolloutCancelling(order.Rollout, draft.Plan.Epoch, order.Reason), PlanReasons.Cancelling, null,
                    Text("Cancelled", order));
                return Decision.Accept(draft.Plan, draft.Facts);
            case RolloutState.Draft or RolloutState.AwaitingApproval:
                var ended = new PlanDraft(
                    order.Rollout, plan with { State = RolloutState.Cancelled, EndedAt = order.Now }, order.Now, order.Actor);
                ended.Tell(new RolloutCancelled(order.Rollout), PlanReasons.Cancelled, null, Text("Cancelled before its start", order));
                return Decision.Accept(ended.Plan with { Epoch = plan.Epoch + 1 }, ended.Facts);
            case RolloutState.Cancelling or RolloutState.Cancelled or RolloutState.Succeeded or RolloutState.Aborted
                or RolloutState.RolledBack:
                var isEnding = plan.State is RolloutState.Cancelling or RolloutState.Cancelled;
                return RefuseUnless(plan, isEnding, order, "cancelled");
            default:
                throw new UnreachableException($"Rollout '{order.Rollout}' has unknown state {plan.State}.");
        }
    }

    /// <summary>
    /// The rollout's image was revoked: no new offers, whatever its state, and never again. Repeated it changes nothing, nor does it stop
    /// a rollout that brings its devices back from that image.
    /// </summary>
    public static Decision<RolloutPlan> HaltForRevocation(RolloutPlan plan, string digest, FleetError refusal, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(refusal);
        if (!plan.IsLive || plan.IsImageRevoked || plan.RollBack is not null)
        {
            return Decision.Unchanged(plan);
        }

        var state = plan.State == RolloutState.Cancelling ? RolloutState.Cancelling : RolloutState.Suspended;
        var draft = Raise(plan with { IsImageRevoked = true }, state, order);
        draft.Tell(
            new RolloutImageRevoked(order.Rollout, draft.Plan.Epoch, digest), PlanReasons.ImageRevoked, null, refusal.Message);
        return Decision.Accept(draft.Plan, draft.Facts);
    }

    /// <summary>
    /// Images of steps were revoked: those on the way to them cannot be taken there any more, and the others go on. Nobody is offered one
    /// of them since, so that the epoch stays. Repeated it changes nothing, nor on the way back, which has no steps.
    /// </summary>
    public static Decision<RolloutPlan> GiveUpSteps(RolloutPlan plan, IEnumerable<StepImage> revoked, RolloutOrder order)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(revoked);
        StepImage[] news = [.. revoked.Where(step => !plan.IsRevokedStep(step.Digest)).DistinctBy(step => step.Digest)];
        if (news.Length == 0 || !plan.IsLive || plan.RollBack is not null)
        {
            return Decision.Unchanged(plan);
        }

        var known = plan.RevokedSteps.IsDefault ? [] : plan.RevokedSteps;
        var next = plan with { RevokedSteps = [.. known, .. news.Select(step => step.Digest)] };
        var draft = new PlanDraft(order.Rollout, next, order.Now, order.Actor);
        foreach (var step in news)
        {
            draft.Tell(new RolloutStepRevoked(order.Rollout, step.Digest, step.Version), PlanReasons.StepRevoked, null,
                $"The image {step.Digest} of step {step.Version} is revoked: " + (plan.State == RolloutState.Cancelling
                    ? "nobody is offered it, and who has it is asked to give it up as all are."
                    : "offers of it that are not named are taken back, and who has to take it is left out."));
        }

        return Decision.Accept(draft.Plan, draft.Facts);
    }

    /// <summary>A new activation coordinates a live rollout: what the one before it sent and nobody used becomes void.</summary>
    public static Decision<RolloutPlan> TakeOver(RolloutPlan plan, ResourceId rollout)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var epoch = plan.Epoch + 1;
        return plan.IsLive
            ? Decision.Accept(plan with { Epoch = epoch }, new RolloutTakenOver(rollout, epoch))
            : Decision.Unchanged(plan);
    }

    private static PlanDraft Raise(RolloutPlan plan, RolloutState state, RolloutOrder order) =>
        new(order.Rollout, plan with { State = state, Epoch = plan.Epoch + 1 }, order.Now, order.Actor);

    private static Decision<RolloutPlan> RefuseUnless(RolloutPlan plan, bool repeated, RolloutOrder order, string verb) => repeated
        ? Decision.Unchanged(plan)
        : Decision.Refuse(plan, RolloutErrors.WrongState(order.Rollout.Value, plan.State, verb));

    private static string Text(string what, RolloutOrder order) =>
        string.IsNullOrWhiteSpace(order.Reason) ? $"{what} by {order.Actor}." : $"{what} by {order.Actor}: {order.Reason}";

    private static RolloutPlan Waive(RolloutPlan plan, RolloutSpec spec) => plan with
    {
        Waves = [.. plan.Waves.Select(wave => WaveGate.FailureFires(spec.FailureGate, wave) || wave.State == WaveState.Suspended
            ? Waive(wave, spec)
            : wave)],
    };

    private static WavePlan Waive(WavePlan wave, RolloutSpec spec) => wave with
    {
        State = wave.State != WaveState.Suspended ? wave.State : wave.PassedAt is null ? WaveState.Running : WaveState.Passed,
        FailedWaived = wave.Totals.FailedNow,
        FinishedWaived = wave.Totals.FinishedNow,
        SuccessGateWaived = wave.SuccessGateWaived
            || (wave.Forward is null
                && WaveGate.Success(spec.Waves[wave.Cut.Spec], wave.Totals) is GateVerdict.BelowThreshold or GateVerdict.NoEvidence),
    };
}
