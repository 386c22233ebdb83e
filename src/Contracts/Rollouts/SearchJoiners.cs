using Muster.Domain.Rollouts;

namespace Muster.Contracts.Rollouts;

/// <summary>How a share looks for devices that match and are no members.</summary>
/// <param name="Filter">The rollout's.</param>
/// <param name="Joining">What becomes of them.</param>
[GenerateSerializer, Immutable, Alias("muster.search-joiners")]
public sealed record SearchJoiners(
    [property: Id(0)] string Filter,
    [property: Id(1)] Joining Joining)
{
    /// <summary>What the rollout is from: sites may need another.</summary>
    [Id(2)] public RolloutStrategy? Strategy { get; init; }

    /// <summary>By the committed plan.</summary>
    /// <param name="spec">What was ordered.</param>
    /// <param name="plan">Where the rollout is.</param>
    public static SearchJoiners? Of(RolloutSpec spec, RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(plan);

        // Of a rest nobody is left out who matches: only its members were ever meant.
        return spec.RetryOf is not null ? null : new SearchJoiners(spec.Filter, LateJoiners.JoiningOf(plan)) { Strategy = spec.Strategy };
    }
}
