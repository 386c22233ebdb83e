using System.Globalization;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>Rollouts to some sites have to be from a strategy.</summary>
/// <param name="Site">
/// A site as filters compare it: case and all, <c>*</c> for any characters, none included. <c>*</c> alone is every device.
/// </param>
/// <param name="Strategy">The strategy that is needed.</param>
/// <param name="MinVersion">In this version or a later one, from 1.</param>
[GenerateSerializer, Immutable, Alias("muster.site-rule")]
public sealed record SiteRule(
    [property: Id(0)] string Site,
    [property: Id(1)] ResourceId Strategy,
    [property: Id(2)] long MinVersion)
{
    /// <summary>
    /// The revision that the strategy's first version came with: what was made from one of the same name that is gone does not count. Not
    /// the caller's to say.
    /// </summary>
    [Id(3)] public long CreatedRevision { get; init; }

    /// <summary>Whether a rollout of this strategy is one that the rule asks for.</summary>
    public bool Takes(RolloutStrategy? strategy) =>
        strategy is not null
        && strategy.Id == Strategy
        && strategy.Version >= MinVersion
        && strategy.Revision >= CreatedRevision;
}

/// <summary>Which sites need which strategy. Of several rules that name a site the first counts; a site that none names is free.</summary>
/// <param name="Revision">The revision of the tenant's strategies that they came with; 0 before the first.</param>
/// <param name="Rules">In their order.</param>
/// <param name="ChangedBy">Who wrote them; null before the first.</param>
/// <param name="ChangedAt">When.</param>
[GenerateSerializer, Immutable, Alias("muster.site-rules")]
public sealed record SiteRules(
    [property: Id(0)] long Revision,
    [property: Id(1)] ImmutableArray<SiteRule> Rules,
    [property: Id(2)] Actor? ChangedBy,
    [property: Id(3)] DateTimeOffset ChangedAt)
{
    /// <summary>Every site is free.</summary>
    public static SiteRules None { get; } = new(0, [], null, default);

    /// <summary>What a change of the rules may name.</summary>
    public string Etag => Revision.ToString(CultureInfo.InvariantCulture);

    /// <summary>Finds the rule of a site, by its place; null for a site that is free.</summary>
    public Func<string, int?> ReadPatterns()
    {
        var patterns = Rules.Select(rule => (rule.Site, Pattern: TextPattern.Of(rule.Site))).ToArray();
        return site =>
        {
            var place = Array.FindIndex(patterns, rule => rule.Pattern is { } pattern ? pattern.Matches(site) : rule.Site == site);
            return place < 0 ? null : place;
        };
    }
}
