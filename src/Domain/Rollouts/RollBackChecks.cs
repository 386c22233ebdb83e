namespace Muster.Domain.Rollouts;

/// <summary>What is true of every plan of a rollout that is rolled back; a part of <see cref="PlanChecks"/>.</summary>
internal static class RollBackChecks
{
    public static void Check(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        if (plan.RollBack is null)
        {
            if (plan.State is RolloutState.RollingBack or RolloutState.RolledBack
                || plan.Waves.Any(wave => wave.State == WaveState.Skipped || wave.Forward is not null))
            {
                wrong.Add($"A rollout that is not rolled back is {plan.State}, or has a wave that is.");
            }

            return;
        }

        if (plan.State is not (RolloutState.RollingBack or RolloutState.Paused or RolloutState.Suspended or RolloutState.Cancelling
            or RolloutState.Cancelled or RolloutState.RolledBack))
        {
            wrong.Add($"A rollout that is rolled back is {plan.State}.");
        }

        CheckOrder(plan, wrong);
        if (plan.State == RolloutState.RolledBack && plan.Waves.Any(wave =>
            wave.State is not (WaveState.Passed or WaveState.Skipped) || wave.Totals.Terminal != wave.Cut.Members))
        {
            wrong.Add("A rollout is rolled back although a wave is not, or a member has no outcome.");
        }
    }

    public static void CheckStep(RolloutSpec spec, RolloutPlan previous, RolloutPlan next, ImmutableArray<string>.Builder wrong)
    {
        if (previous.RollBack is not null && next.RollBack != previous.RollBack)
        {
            wrong.Add("A rollout that is rolled back was turned round again.");
        }

        if (previous.RollBack is not null || next.RollBack is not { } begun)
        {
            return;
        }

        if (next.Epoch <= previous.Epoch)
        {
            wrong.Add("A rollout is rolled back without a new epoch.");
        }

        if (begun.Wave is not null && spec.FailureGate.Action != FailureAction.RollBack)
        {
            wrong.Add("A gate rolls a rollout back without being asked to.");
        }

        // The reports that a grant is made from are still of the way there.
        if (Granted(next) != Granted(previous))
        {
            wrong.Add("Offers were granted with the turn of the rollout.");
        }
    }

    private static void CheckOrder(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        var reached = true;
        for (var i = plan.Waves.Length - 1; i >= 0; i--)
        {
            var wave = plan.Waves[i];
            if (wave.State == WaveState.Skipped)
            {
                continue;
            }

            if (!reached && wave.State != WaveState.Pending)
            {
                wrong.Add($"Wave {i} is {wave.State} although a later wave is not back.");
            }

            if (wave.Forward is not { StartedAt: not null })
            {
                wrong.Add($"Wave {i} is rolled back and had never started.");
            }

            reached &= wave.State == WaveState.Passed || wave.PassedAt is not null;
        }
    }

    private static long Granted(RolloutPlan plan) => plan.Shares.Sum(share => share.Waves.Sum(grant => grant.Granted));
}
