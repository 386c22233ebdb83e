using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Strategies;

/// <summary>Strategies and site rules for tests.</summary>
internal static class StrategyBuilder
{
    public static StrategyOrder By { get; } = new(Anna, Start);

    public static ResourceId Name(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    /// <summary>A strategy whose first wave has so many devices.</summary>
    public static StrategySpec Course(int canaries, string description = "") =>
        new(description, Spec(Wave(Amount.Count(canaries)), Wave(Amount.Percent(100))));

    public static StrategySet Create(StrategySet set, string name, int canaries = 5)
    {
        var decision = StrategyRules.Create(set, Name(name), Course(canaries), "r1", By);
        Assert.Null(decision.Error);
        return decision.Next;
    }

    public static StrategySet Update(StrategySet set, string name, int canaries)
    {
        var decision = StrategyRules.Update(set, Name(name), Course(canaries), "", By);
        Assert.Null(decision.Error);
        return decision.Next;
    }

    public static SiteRule Rule(string site, string strategy, long minVersion = 1) => new(site, Name(strategy), minVersion);

    public static StrategySet WithRules(StrategySet set, params ImmutableArray<SiteRule> rules)
    {
        var decision = StrategyRules.UpdateSiteRules(set, rules, "", By);
        Assert.Null(decision.Error);
        return decision.Next;
    }

    /// <summary>What a rollout of the newest version remembers.</summary>
    public static RolloutStrategy Newest(StrategySet set, string name) => StrategyRules.Find(set, Name(name))!.Newest.Reference;
}
