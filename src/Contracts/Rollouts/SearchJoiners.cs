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

    /// <summary>Who runs a newer version than this does not join (<see cref="LateJoiners.DowngradesTo"/>); empty for none.</summary>
    [Id(3)] public string DowngradesTo { get; init; } = "";

    /// <summary>By what is committed; null for a rest, of which nobody is left out: only its members were ever meant.</summary>
    /// <param name="rollout">With its committed plan.</param>
    /// <param name="policy">Of the installation.</param>
    public static SearchJoiners? Of(Rollout rollout, ApprovalPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var spec = rollout.Spec;
        return spec.RetryOf is not null ? null : new SearchJoiners(spec.Filter, LateJoiners.JoiningOf(rollout.Plan))
        {
            Strategy = spec.Strategy,
            DowngradesTo = LateJoiners.DowngradesTo(rollout, policy),
        };
    }
}
