namespace Muster.Domain.Rollouts;

/// <summary>
/// States what is true of every plan, whatever happened; runs on every plan before it is committed. An answer that is
/// not empty is a bug, and nothing may be offered by such a plan.
/// </summary>
public static class PlanChecks
{
    /// <summary>What is wrong with the plan itself.</summary>
    public static ImmutableArray<string> Check(RolloutSpec spec, RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(plan);
        var wrong = ImmutableArray.CreateBuilder<string>();
        if (plan.Waves.Sum(wave => wave.Cut.Members) != plan.Members)
        {
            wrong.Add("The waves do not hold every member once.");
        }

        if (plan.State is not RolloutState.Draft && plan.Epoch < 1)
        {
            wrong.Add("A started rollout has no epoch.");
        }

        if (plan.Decisions.Length > RolloutLimits.DecisionsMax)
        {
            wrong.Add("The log of decisions is too long.");
        }

        CheckWaves(plan, wrong);
        CheckGrants(spec, plan, wrong);
        return wrong.ToImmutable();
    }

    /// <summary>What is wrong with going from one plan to the next.</summary>
    public static ImmutableArray<string> CheckStep(RolloutPlan previous, RolloutPlan next)
    {
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(next);
        var wrong = ImmutableArray.CreateBuilder<string>();
        if (next.Epoch < previous.Epoch)
        {
            wrong.Add("The epoch fell.");
        }

        if (previous.IsTerminal && next.State != previous.State)
        {
            wrong.Add("A terminal state was left.");
        }

        if (previous.State == RolloutState.Draft)
        {
            return wrong.ToImmutable();
        }

        foreach (var (before, after) in previous.Shares.Zip(next.Shares))
        {
            foreach (var (old, grant) in before.Waves.Zip(after.Waves))
            {
                if (grant.Granted < old.Granted || grant.Seen < old.Seen || grant.Offered < old.Offered)
                {
                    wrong.Add($"A cumulative number of partition {after.Partition} fell.");
                }

                if (grant.Granted > old.Granted && next.State != RolloutState.Running)
                {
                    wrong.Add($"Partition {after.Partition} was granted offers by a rollout that is {next.State}.");
                }
            }
        }

        foreach (var (before, after) in previous.Waves.Zip(next.Waves))
        {
            if (before.State == WaveState.Passed && after.State is WaveState.Pending or WaveState.Running or WaveState.Soaking)
            {
                wrong.Add("A passed wave was opened again.");
            }
        }

        return wrong.ToImmutable();
    }

    private static void CheckWaves(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        var reached = true;
        for (var i = 0; i < plan.Waves.Length; i++)
        {
            var state = plan.Waves[i].State;
            if (!reached && state != WaveState.Pending)
            {
                wrong.Add($"Wave {i} is {state} although an earlier wave has not passed.");
            }

            // A passed wave whose late failures suspended the rollout does not close the waves behind it.
            reached &= state == WaveState.Passed || plan.Waves[i].PassedAt is not null;
        }

        if (plan.State == RolloutState.Running && plan.Waves.Any(wave => wave.State == WaveState.Suspended))
        {
            wrong.Add("A rollout runs although a gate suspended one of its waves.");
        }

        if (plan.State == RolloutState.Succeeded
            && plan.Waves.Any(wave => wave.State != WaveState.Passed || wave.Totals.Terminal != wave.Cut.Members))
        {
            wrong.Add("A rollout succeeded although a wave has not passed or a member has no outcome.");
        }
    }

    private static void CheckGrants(RolloutSpec spec, RolloutPlan plan, ImmutableArray<string>.Builder wrong)
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

                if (grant.Granted > 0 && plan.Waves[i].State == WaveState.Pending)
                {
                    wrong.Add($"Partition {share.Partition} was granted offers in wave {i}, which has not started.");
                }

                if (grant.Outstanding > RolloutLimits.OffersPerGrantMax)
                {
                    wrong.Add($"Partition {share.Partition} was granted too much at once in wave {i}.");
                }
            }
        }

        if (spec.DevicesPerMinute > 0
            && OfferPermits.Outstanding(plan) + plan.RecentOffers.Sum(offers => offers.Count) > spec.DevicesPerMinute)
        {
            wrong.Add("More offers in 60 s than the rate allows.");
        }
    }
}
