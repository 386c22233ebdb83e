using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>What the members of a rollout in some sites need.</summary>
/// <param name="Strategy">The strategy.</param>
/// <param name="MinVersion">In this version or a later one: the highest that a rule of these sites asks for.</param>
/// <param name="Sites">The first of these sites by name.</param>
/// <param name="Filter">Exactly the members in such sites, as a part of the rollout's filter; empty when it would be too long.</param>
public sealed record StrategyNeed(ResourceId Strategy, long MinVersion, ImmutableArray<string> Sites, string Filter);

/// <summary>Decides whether a rollout may have the members that it has, by the tenant's site rules.</summary>
public static class SiteRuling
{
    /// <summary>A refusal names filters: one that is longer than this says less than the rules themselves.</summary>
    private const int FilterLengthMax = 600;

    /// <summary>Null when every member is in a site that takes the rollout's strategy, or that is free.</summary>
    /// <param name="rollout">The rollout.</param>
    /// <param name="has">What it is from; null for a course of its own.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="members">Its members, counted by the same rules; null when not all could be counted.</param>
    public static FleetError? Check(ResourceId rollout, RolloutStrategy? has, SiteRules rules, SiteTally? members)
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (rules.Rules.IsEmpty)
        {
            return null;
        }

        if (members is null || members.Revision != rules.Revision)
        {
            return StrategyErrors.SitesUnknown(rollout);
        }

        if (members.Rules.All(ruled => rules.Rules[ruled.Rule].Takes(has)))
        {
            return null;
        }

        // Of those that the rollout's strategy would do for all are told too: the answer is one command, or one for each.
        var needs = NeedsOf(rules, members);
        return needs.Length > 1 ? StrategyErrors.Different(rollout, needs) : StrategyErrors.Required(rollout, has, needs[0]);
    }

    /// <summary>By strategy, in the order of the rules.</summary>
    public static ImmutableArray<StrategyNeed> NeedsOf(SiteRules rules, SiteTally members)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(members);
        return
        [
            .. members.Rules.GroupBy(ruled => rules.Rules[ruled.Rule].Strategy).Select(need => new StrategyNeed(
                need.Key,
                need.Max(ruled => rules.Rules[ruled.Rule].MinVersion),
                [.. need.SelectMany(ruled => ruled.Sites).Distinct().Order(StringComparer.Ordinal).Take(SiteTally.SitesMax)],
                FilterOf(rules, [.. members.Rules.Select(ruled => ruled.Rule)], need.Key))),
        ];
    }

    /// <summary>The first rule that names a site counts: what an earlier one of another strategy names is taken out.</summary>
    private static string FilterOf(SiteRules rules, ImmutableArray<int> withMembers, ResourceId strategy)
    {
        var parts = withMembers.Where(rule => rules.Rules[rule].Strategy == strategy).Select(rule =>
        {
            var others = withMembers
                .Where(other => other < rule && rules.Rules[other].Strategy != strategy)
                .Select(other => " AND NOT " + TestOf(rules.Rules[other].Site));
            var test = TestOf(rules.Rules[rule].Site);
            return others.Any() ? $"({test}{string.Concat(others)})" : test;
        });
        var filter = $"({string.Join(" OR ", parts)})";
        return filter.Length <= FilterLengthMax ? filter : "";
    }

    private static string TestOf(string site) =>
        $"site = \"{site.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
