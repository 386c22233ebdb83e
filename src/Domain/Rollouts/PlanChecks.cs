namespace Muster.Domain.Rollouts;

/// <summary>
/// States what is true of every plan, whatever happened; runs on every plan before it is committed. An answer that is
/// not empty is a bug, and nothing may be offered by such a plan.
/// </summary>
public static class PlanChecks
{
    /// <summary>What is wrong with the plan itself.</summary>
    public static ImmutableArray<string> Check(RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var wrong = ImmutableArray.CreateBuilder<string>();
        if (plan.Waves.Sum(wave => wave.Cut.Members) != plan.Members)
        {
            wrong.Add("The waves do not hold every member once.");
        }

        if (plan.Waves.Any(wave => wave.Cut.IsStratified && wave.Cut.Strata.Sum(stratum => stratum.Members) != wave.Cut.Members)
            || plan.Waves.Sum(wave => wave.Cut.Strata.IsDefault ? 0 : wave.Cut.Strata.Length) > StratumCut.StrataMax)
        {
            wrong.Add("The strata of a wave are not its members, or there are too many.");
        }

        if (!plan.IsDraft && plan.Epoch < 1)
        {
            wrong.Add("A started rollout has no epoch.");
        }

        if (plan.Decisions.Length > RolloutLimits.DecisionsMax)
        {
            wrong.Add("The log of decisions is too long.");
        }

        if (plan.BurnUp is { Points: var points }
            && (points.Length > BurnUp.PointsMax || points.Zip(points.Skip(1)).Any(pair => pair.First.At > pair.Second.At)))
        {
            wrong.Add("The course of the rollout is too long, or not in order.");
        }

        CheckWaves(plan, wrong);
        CheckGrants(plan, wrong);
        JoinerChecks.Check(plan, wrong);
        RollBackChecks.Check(plan, wrong);
        return wrong.ToImmutable();
    }

    /// <summary>What is wrong with going from one plan to the next.</summary>
    public static ImmutableArray<string> CheckStep(RolloutSpec spec, RolloutPlan previous, RolloutPlan next)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(next);
        var wrong = ImmutableArray.CreateBuilder<string>();
        if (next.Epoch < previous.Epoch)
        {
            wrong.Add("The epoch fell.");
        }

        if (next.DecisionCount < previous.DecisionCount)
        {
            wrong.Add("The number of a decision would be used twice.");
        }

        CheckStates(spec, previous, next, wrong);
        if (previous.IsDraft)
        {
            return wrong.ToImmutable();
        }

        CheckRate(spec, previous, next, wrong);
        CheckShares(previous, next, wrong);
        JoinerChecks.CheckStep(previous, next, wrong);
        RollBackChecks.CheckStep(spec, previous, next, wrong);
        if (next.RollBack is not null && previous.RollBack is null)
        {
            // The waves begin anew.
            return wrong.ToImmutable();
        }

        foreach (var (before, after) in previous.Waves.Zip(next.Waves))
        {
            if (before.State == WaveState.Passed
                && after.State is WaveState.Pending or WaveState.Running or WaveState.Soaking or WaveState.AwaitingApproval)
            {
                wrong.Add("A passed wave was opened again.");
            }

            if (next.RollBack is null)
            {
                CheckApproval(spec.Waves[after.Cut.Spec], before, after, wrong);
            }
        }

        return wrong.ToImmutable();
    }

    /// <summary>What is wrong with who has approved what.</summary>
    public static ImmutableArray<string> CheckApprovals(Rollout rollout)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var wrong = ImmutableArray.CreateBuilder<string>();
        var required = rollout.Spec.ApprovalsRequired;
        if (rollout.Plan.IsLive && required > 0 && rollout.ValidApprovals.DistinctBy(approval => approval.Approver.Name).Count() < required)
        {
            wrong.Add("A rollout has started with fewer approvals than its spec asks for.");
        }

        if (rollout.Approvals.Any(approval => rollout.IsAuthor(approval.Approver))
            || rollout.Plan.Waves.Any(wave => wave.Approval is { } approval && rollout.IsAuthor(approval.Approver)))
        {
            wrong.Add("An author has approved his own rollout.");
        }

        return wrong.ToImmutable();
    }

    private static void CheckStates(RolloutSpec spec, RolloutPlan previous, RolloutPlan next, ImmutableArray<string>.Builder wrong)
    {
        if (previous.IsTerminal && next.State != previous.State)
        {
            wrong.Add("A terminal state was left.");
        }

        if (previous.State == RolloutState.AwaitingApproval && next.IsLive)
        {
            wrong.Add("A rollout started without its approvals.");
        }

        if (!previous.IsDraft && next.IsDraft)
        {
            wrong.Add("A rollout that had started is a draft again.");
        }

        if (next.IsAborting && !previous.IsAborting && (spec.FailureGate.Action != FailureAction.Abort || next.Epoch <= previous.Epoch))
        {
            wrong.Add("A rollout is aborted without being asked to, or without a new epoch.");
        }
    }

    private static void CheckShares(RolloutPlan previous, RolloutPlan next, ImmutableArray<string>.Builder wrong)
    {
        foreach (var (before, after) in previous.Shares.Zip(next.Shares))
        {
            foreach (var (old, grant, wave) in before.Waves.Zip(after.Waves, next.Waves))
            {
                if (grant.Granted < old.Granted || grant.Seen < old.Seen || grant.Offered < old.Offered)
                {
                    wrong.Add($"A cumulative number of partition {after.Partition} fell.");
                }

                if (grant.Granted > old.Granted && !wave.IsOpen)
                {
                    wrong.Add($"Partition {after.Partition} was granted offers in a wave that is {wave.State}.");
                }

                if (grant.Granted > old.Granted && !next.IsOffering)
                {
                    wrong.Add($"Partition {after.Partition} was granted offers by a rollout that is {next.State}.");
                }
            }
        }
    }

    private static void CheckApproval(WaveSpec spec, WavePlan before, WavePlan after, ImmutableArray<string>.Builder wrong)
    {
        var isNew = after.Approval is not null && after.Approval != before.Approval;
        if (isNew && (before.State != WaveState.AwaitingApproval || before.Approval is not null))
        {
            wrong.Add("A wave was approved that did not wait for it.");
        }

        if (spec.NeedsApproval && after is { PassedAt: not null, Approval: null, Cut.Members: > 0 })
        {
            wrong.Add("A wave with a manual gate passed without an approval.");
        }

        if (after.State == WaveState.AwaitingApproval && (!spec.NeedsApproval || after.AwaitingSince is null))
        {
            wrong.Add("A wave waits for an approver without being asked to.");
        }
    }

    private static void CheckWaves(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        var reached = true;
        for (var i = 0; i < plan.Waves.Length; i++)
        {
            var state = plan.Waves[i].State;
            if (!reached && state != WaveState.Pending && plan.RollBack is null)
            {
                wrong.Add($"Wave {i} is {state} although an earlier wave has not passed.");
            }

            // A passed wave whose late failures suspended the rollout does not close the waves behind it.
            reached &= state == WaveState.Passed || plan.Waves[i].PassedAt is not null;
        }

        if (plan.IsOffering && plan.Waves.Any(wave => wave.State == WaveState.Suspended))
        {
            wrong.Add("A rollout runs although a gate suspended one of its waves.");
        }

        if (plan.IsAborting && plan.State is not (RolloutState.Cancelling or RolloutState.Aborted))
        {
            wrong.Add($"A rollout that was aborted is {plan.State}.");
        }

        if (plan.State == RolloutState.Aborted && !plan.IsAborting)
        {
            wrong.Add("A rollout is aborted although no gate did it.");
        }

        if (plan.State == RolloutState.Succeeded
            && plan.Waves.Any(wave => wave.State != WaveState.Passed || wave.Totals.Terminal != wave.Cut.Members))
        {
            wrong.Add("A rollout succeeded although a wave has not passed or a member has no outcome.");
        }
    }

    private static void CheckGrants(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        foreach (var share in plan.Shares)
        {
            for (var i = 0; i < share.Waves.Length; i++)
            {
                var grant = share.Waves[i];
                if (grant.Seen > grant.Granted || grant.Offered > grant.Seen || grant.Offered < 0)
                {
                    wrong.Add($"Partition {share.Partition} reported more than it was granted in wave {i}.");
                }

                if (grant.Granted > 0 && plan.Waves[i].State == WaveState.Pending && plan.RollBack is null)
                {
                    wrong.Add($"Partition {share.Partition} was granted offers in wave {i}, which has not started.");
                }

                if (grant.Outstanding > RolloutLimits.OffersPerGrantMax)
                {
                    wrong.Add($"Partition {share.Partition} was granted too much at once in wave {i}.");
                }
            }
        }
    }

    /// <summary>A rate that grew by successes may fall below what was offered already; then nothing is granted.</summary>
    private static void CheckRate(RolloutSpec spec, RolloutPlan previous, RolloutPlan next, ImmutableArray<string>.Builder wrong)
    {
        if (spec.DevicesPerMinute > 0
            && Granted(next) > Granted(previous)
            && OfferPermits.InWindow(next) > OfferPermits.Rate(spec, next))
        {
            wrong.Add("More offers in 60 s than the rate allows.");
        }
    }

    private static long Granted(RolloutPlan plan) => plan.Shares.Sum(share => share.Waves.Sum(grant => grant.Granted));
}
