namespace Muster.Domain.Strategies;

/// <summary>A strategy was made.</summary>
[GenerateSerializer, Immutable, Alias("muster.strategy-created")]
public sealed record StrategyCreated([property: Id(0)] StrategyVersion Version) : DomainEvent;

/// <summary>A strategy says something else from now on; rollouts that were made from it do not.</summary>
[GenerateSerializer, Immutable, Alias("muster.strategy-updated")]
public sealed record StrategyUpdated([property: Id(0)] StrategyVersion Version) : DomainEvent;

/// <summary>No rollout is made from the strategy any more; those that were are as they are.</summary>
[GenerateSerializer, Immutable, Alias("muster.strategy-deleted")]
public sealed record StrategyDeleted(
    [property: Id(0)] ResourceId Strategy,
    [property: Id(1)] long Version) : DomainEvent;

/// <summary>Sites need other strategies from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.site-rules-updated")]
public sealed record SiteRulesUpdated([property: Id(0)] SiteRules Rules) : DomainEvent;
