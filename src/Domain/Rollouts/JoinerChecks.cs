namespace Muster.Domain.Rollouts;

/// <summary>What is true of every plan that devices can join, or cannot; a part of <see cref="PlanChecks"/>.</summary>
internal static class JoinerChecks
{
    public static void Check(RolloutPlan plan, ImmutableArray<string>.Builder wrong)
    {
        if (plan.Waves.SkipLast(1).Any(wave => wave.Cut.TakesJoiners))
        {
            wrong.Add("The wave of late joiners is not the last.");
        }

        if (plan.JoiningEndedAt is not null && plan.JoinersWave is null)
        {
            wrong.Add("Joining has ended in a rollout that nobody can join.");
        }

        if (plan.JoinersWave is { } index && HasStarted(plan.Waves[index]) && plan.JoiningEndedAt is null)
        {
            wrong.Add("The wave of late joiners has started and more can join it.");
        }
    }

    /// <summary>Only the wave of late joiners grows, and only before it has started.</summary>
    public static void CheckStep(RolloutPlan previous, RolloutPlan next, ImmutableArray<string>.Builder wrong)
    {
        if (previous.JoiningEndedAt is { } ended && next.JoiningEndedAt != ended)
        {
            wrong.Add("Joining has ended twice.");
        }

        foreach (var (before, after) in previous.Waves.Zip(next.Waves))
        {
            if (after.Cut.Members != before.Cut.Members && !after.Cut.TakesJoiners)
            {
                wrong.Add("A wave has other members than at the freeze.");
            }

            if (after.Cut.Members > before.Cut.Members && HasStarted(before))
            {
                wrong.Add("A wave that has started got another member.");
            }
        }
    }

    private static bool HasStarted(WavePlan wave) => (wave.StartedAt ?? wave.Forward?.StartedAt) is not null;
}
