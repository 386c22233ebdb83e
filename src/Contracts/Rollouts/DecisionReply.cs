using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Contracts.Rollouts;

/// <summary>The decisions behind a reader's mark, or why there are none.</summary>
[GenerateSerializer, Immutable, Alias("muster.decision-reply")]
public sealed record DecisionReply(
    [property: Id(0)] DecisionPage? Page,
    [property: Id(1)] FleetError? Error);
