namespace Muster.Domain.Rollouts;

/// <summary>What a dry run says of the end: the same calculation, from a start that there was not.</summary>
public static partial class RolloutEstimator
{
    /// <summary>
    /// The draft as it would be if it was started now, of which an estimate can be made (rollouts.md 24). Which devices are away or busy
    /// then, and what steps are before them, nobody has looked: all wait for their turn. Null where there is nothing to start.
    /// </summary>
    /// <param name="draft">The dry run's.</param>
    /// <param name="cuts">The waves of such a start.</param>
    /// <param name="freeze">Of that start alone: what was calculated for another is not its end.</param>
    /// <param name="now">When it is asked.</param>
    public static Rollout? StartOf(Rollout draft, ImmutableArray<WaveCut> cuts, Guid freeze, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(draft);
        if (!draft.Plan.IsDraft || cuts.IsDefaultOrEmpty)
        {
            return null;
        }

        // The wave of late joiners, of whom there are none yet, is the start's to add.
        var frozen = new FrozenMembers([.. cuts.Where(cut => !cut.TakesJoiners)], [0]);
        var order = new RolloutOrder(draft.Id, Actor.Rule("estimates"), "", now);
        var started = RolloutLifecycle.Start(RolloutPlan.Draft, draft.Spec, frozen, order);
        return started.Error is not null ? null : draft with
        {
            Freeze = freeze,
            Plan = started.Next with
            {
                Waves = [.. started.Next.Waves.Select(wave => wave.With(
                    new ShareTotals { Members = wave.Cut.Members, Waiting = wave.Cut.Members }))],
            },
        };
    }
}
