using System.Globalization;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>What a strategy says.</summary>
/// <param name="Description">For people, one line.</param>
/// <param name="Course">
/// A rollout's spec without what is changed and for whom (<see cref="StrategyCourse"/>): whatever a rollout can say, a strategy can.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.strategy-spec")]
public sealed record StrategySpec([property: Id(0)] string Description, [property: Id(1)] RolloutSpec Course);

/// <summary>One version of a strategy; it never changes.</summary>
/// <param name="Strategy">Whose.</param>
/// <param name="Version">From 1; grows with every change of this strategy.</param>
/// <param name="Revision">The revision of the set that this version came with.</param>
/// <param name="Spec">What it says.</param>
/// <param name="ChangedBy">Who wrote it.</param>
/// <param name="ChangedAt">When.</param>
[GenerateSerializer, Immutable, Alias("muster.strategy-version")]
public sealed record StrategyVersion(
    [property: Id(0)] ResourceId Strategy,
    [property: Id(1)] long Version,
    [property: Id(2)] long Revision,
    [property: Id(3)] StrategySpec Spec,
    [property: Id(4)] Actor ChangedBy,
    [property: Id(5)] DateTimeOffset ChangedAt)
{
    /// <summary>What a change of the strategy may name: another version is another one.</summary>
    public string Etag => Revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>As a rollout of it remembers it.</summary>
    public RolloutStrategy Reference => new(Strategy, Version, Revision);
}

/// <summary>A named course that rollouts are made from.</summary>
/// <param name="Id">Its name within the tenant.</param>
/// <param name="Versions">Oldest first, at most <see cref="StrategyRules.VersionsMax"/>; the last one is in force.</param>
/// <param name="CreatedRevision">The revision of the set that its first version came with.</param>
/// <param name="RequestId">Of the request that created it (AIP-155).</param>
[GenerateSerializer, Immutable, Alias("muster.strategy")]
public sealed record Strategy(
    [property: Id(0)] ResourceId Id,
    [property: Id(1)] ImmutableArray<StrategyVersion> Versions,
    [property: Id(2)] long CreatedRevision,
    [property: Id(3)] string RequestId)
{
    /// <summary>The version in force.</summary>
    public StrategyVersion Newest => Versions[^1];
}

/// <summary>A strategy and the version of it that a rollout is to be made from.</summary>
/// <param name="Strategy">Which.</param>
/// <param name="Version">From 1; 0 for the newest.</param>
[GenerateSerializer, Immutable, Alias("muster.strategy-choice")]
public sealed record StrategyChoice([property: Id(0)] ResourceId Strategy, [property: Id(1)] long Version);

/// <summary>All strategies of a tenant, and which of its sites need which.</summary>
/// <param name="Revision">Grows with every change of any of them; 0 before the first.</param>
/// <param name="Strategies">By id.</param>
/// <param name="SiteRules">Which sites need which.</param>
[GenerateSerializer, Immutable, Alias("muster.strategy-set")]
public sealed record StrategySet(
    [property: Id(0)] long Revision,
    [property: Id(1)] ImmutableArray<Strategy> Strategies,
    [property: Id(2)] SiteRules SiteRules)
{
    /// <summary>No strategy was ever made.</summary>
    public static StrategySet Empty { get; } = new(0, [], SiteRules.None);
}
