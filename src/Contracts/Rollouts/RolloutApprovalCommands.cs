using Muster.Domain;
using Muster.Domain.Operators;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Contracts.Rollouts;

/// <summary>Writes a draft anew.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Spec">The whole spec.</param>
/// <param name="Etag">Of the rollout as he has read it; empty when he does not care.</param>
[GenerateSerializer, Immutable, Alias("muster.update-rollout")]
public sealed record UpdateRollout(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] RolloutSpec Spec,
    [property: Id(2)] string Etag)
{
    /// <summary>As in <see cref="CreateRollout"/>.</summary>
    [Id(85)] public StrategyChoice? Strategy { get; init; }

    /// <summary>He does not say a seed: the draft keeps its own. False from a gateway of an earlier version.</summary>
    [Id(90)] public bool KeepsSeed { get; init; }
}

/// <summary>Approves the spec of a draft.</summary>
/// <param name="Actor">Who approves.</param>
/// <param name="Roles">What he may do in this call.</param>
/// <param name="Etag">Of the rollout as he has read it.</param>
[GenerateSerializer, Immutable, Alias("muster.approve-rollout")]
public sealed record ApproveRollout(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles,
    [property: Id(2)] string Etag);

/// <summary>Lets a wave that waits for an approver pass.</summary>
/// <param name="Actor">Who approves.</param>
/// <param name="Roles">What he may do in this call.</param>
/// <param name="Wave">Zero-based.</param>
/// <param name="Etag">Of the wave as he has read it.</param>
[GenerateSerializer, Immutable, Alias("muster.approve-wave")]
public sealed record ApproveWave(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles,
    [property: Id(2)] int Wave,
    [property: Id(3)] string Etag);
