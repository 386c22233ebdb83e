using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Contracts.Rollouts;

/// <summary>Rolls a rollout back that is not over.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="Roles">What he may do in this call.</param>
/// <param name="Reason">Why; may be empty, and is kept in its log of decisions.</param>
[GenerateSerializer, Immutable, Alias("muster.roll-back-rollout")]
public sealed record RollBackRollout(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles,
    [property: Id(2)] string Reason);
