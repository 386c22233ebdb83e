using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;
using static Muster.Domain.Tests.Strategies.StrategyBuilder;

namespace Muster.Domain.Tests.Strategies;

public sealed class SiteRulingTests
{
    private static readonly StrategySet Two = Update(Create(Create(StrategySet.Empty, "canary"), "slow"), "canary", 6);

    [Fact]
    public void Check_WithoutRules_TakesEverything() => Assert.Null(SiteRuling.Check(Id, null, SiteRules.None, null));

    [Theory]
    [InlineData("lund", null, true)] // no rule names it
    [InlineData("berlin", null, false)]
    [InlineData("Berlin", null, true)] // case and all
    [InlineData("plant-7", null, false)]
    [InlineData("plant", null, true)]
    [InlineData("berlin", "canary", true)]
    [InlineData("berlin", "slow", false)]
    [InlineData("lund", "slow", true)]
    public void Check_OfMembersInOneSite_AsksForTheStrategyOfTheRule(string site, string? from, bool isTaken)
    {
        var rules = WithRules(Two, Rule("berlin", "canary", 2), Rule("plant-*", "canary", 2)).SiteRules;

        var refusal = Check(rules, from is null ? null : Newest(Two, from), site);

        Assert.Equal(isTaken ? null : StrategyErrors.RequiredReason, refusal?.Reason);
    }

    [Fact]
    public void Check_OfAnOlderVersion_IsRefusedWithWhatIsNeeded()
    {
        var rules = WithRules(Two, Rule("berlin", "canary", 2)).SiteRules;
        var older = StrategyRules.FindVersion(Two, new(Name("canary"), 1)).Version!.Reference;

        var refusal = Check(rules, older, "berlin", "lund");

        Assert.Equal(StrategyErrors.RequiredReason, refusal?.Reason);
        Assert.Equal(
            "Rollout 'spring' is from canary@1, and has members in sites whose rollouts have to be from strategy 'canary' in version 2 or "
            + "later: berlin. Order it with `muster rollouts create spring --strategy canary` (a draft that is there: `edit`), or leave "
            + "them out: add to its filter AND NOT (site = \"berlin\")",
            refusal!.Message);
        Assert.Equal(
            ["spring", "canary@1", "canary", "2", "berlin", "(site = \"berlin\")"], refusal.Metadata.Select(detail => detail.Value));
    }

    [Fact]
    public void Check_OfAStrategyThatWasMadeAnew_DoesNotTakeWhatWasMadeFromTheFirst()
    {
        var first = Newest(Two, "canary");
        var deleted = StrategyRules.Delete(Two, Name("canary"), "").Next;
        var anew = WithRules(Create(deleted, "canary"), Rule("*", "canary"));

        Assert.Equal((2L, 1L), (first.Version, Newest(anew, "canary").Version));
        Assert.Equal(StrategyErrors.RequiredReason, Check(anew.SiteRules, first, "berlin")?.Reason);
        Assert.Null(Check(anew.SiteRules, Newest(anew, "canary"), "berlin"));
    }

    [Fact]
    public void Check_OfSitesThatNeedDifferentStrategies_SaysHowToMakeOneForEach()
    {
        var rules = WithRules(Two, Rule("berlin", "slow"), Rule("*", "canary")).SiteRules;

        var refusal = Check(rules, Newest(Two, "canary"), "berlin", "lund", "");

        Assert.Equal(StrategyErrors.DifferentReason, refusal?.Reason);
        Assert.Equal(
            "Rollout 'spring' has members in sites that need different strategies. Make one for each: `muster rollouts create spring-1 "
            + "--strategy slow` for berlin, its filter with AND (site = \"berlin\"); `muster rollouts create spring-2 --strategy canary` "
            + "for (no site), lund, its filter with AND ((site = \"*\" AND NOT site = \"berlin\"))",
            refusal!.Message);
    }

    [Fact]
    public void Check_OfManySites_NamesSome()
    {
        var rules = WithRules(Two, Rule("plant-*", "canary")).SiteRules;

        var refusal = Check(rules, null, [.. Enumerable.Range(1, 2_000).Select(i => $"plant-{i:0000}")]);

        Assert.Equal(
            "plant-0001, plant-0002, plant-0003, plant-0004, plant-0005 and others",
            refusal!.Metadata.Single(detail => detail.Key == "sites").Value);
    }

    [Fact]
    public void Check_OfMembersThatWereNotCounted_OrByOtherRules_IsRefused()
    {
        var rules = WithRules(Two, Rule("berlin", "canary"));
        var other = WithRules(rules, Rule("lund", "canary"));

        Assert.Equal(StrategyErrors.SitesUnknownReason, SiteRuling.Check(Id, null, rules.SiteRules, null)?.Reason);
        Assert.Equal(
            StrategyErrors.SitesUnknownReason,
            SiteRuling.Check(Id, null, other.SiteRules, SiteTally.Of(rules.SiteRules, [("a", 1)]))?.Reason);
    }

    [Fact]
    public void Tallies_OfTheParts_AreTheTallyOfAll()
    {
        var rules = WithRules(Two, Rule("a*", "canary"), Rule("b*", "slow")).SiteRules;
        var members = Enumerable.Range(0, 300).Select(i => ($"{"abc"[i % 3]}{i % 20:00}", 1L + (i % 2))).ToArray();

        var whole = SiteTally.Of(rules, members);
        var parts = members.Chunk(7).Select(part => SiteTally.Of(rules, part)).Aggregate((sum, part) => sum.Plus(part));

        Assert.Equal(whole.Rules.Select(rule => (rule.Rule, rule.Members)), parts.Rules.Select(rule => (rule.Rule, rule.Members)));
        Assert.Equal(whole.Rules.SelectMany(rule => rule.Sites), parts.Rules.SelectMany(rule => rule.Sites));
        Assert.Equal(
            members.Where(member => member.Item1[0] != 'c').Sum(member => member.Item2), whole.Rules.Sum(rule => rule.Members));
        Assert.All(whole.Rules, rule => Assert.Equal(SiteTally.SitesMax, rule.Sites.Length));
    }

    /// <summary>The filters that a refusal names take each member once, into the rollout of its own strategy.</summary>
    [Fact]
    public void Filters_OfTheNeeds_TakeTheMembersOfTheirStrategyAndNoOther()
    {
        var rules = WithRules(
            Two,
            Rule("plant-1*", "slow"),
            Rule("say \"hi\"\\", "canary"),
            Rule("plant-*", "canary"),
            Rule("*", "slow"),
            Rule("x", "canary")).SiteRules;
        string[] sites = ["plant-1", "plant-10", "plant-2", "say \"hi\"\\", "say", "", "x", "AND"];
        var find = rules.ReadPatterns();

        var needs = SiteRuling.NeedsOf(rules, SiteTally.Of(rules, sites.Select(site => (site, 1L))));

        Assert.Equal(["slow", "canary"], needs.Select(need => need.Strategy.Value));
        foreach (var need in needs)
        {
            var (filter, error) = InventoryFilter.Parse($"model = x AND {need.Filter}", InventoryFields.Device);
            var (rest, restError) = InventoryFilter.Parse($"NOT {need.Filter}", InventoryFields.Device);
            Assert.Equal((null, null), (error, restError));
            foreach (var site in sites)
            {
                var isIts = rules.Rules[find(site)!.Value].Strategy == need.Strategy;
                Assert.True(isIts == filter.Matches(new Placed(site), Start), $"'{site}' and {need.Filter}");
                Assert.Equal(!isIts, rest.Matches(new Placed(site), Start));
            }
        }
    }

    private static FleetError? Check(SiteRules rules, RolloutStrategy? from, params string[] sites) =>
        SiteRuling.Check(Id, from, rules, SiteTally.Of(rules, sites.Select(site => (site, 3L))));

    private sealed class Placed(string site) : IFieldSource
    {
        public FieldValue Field(string name, string key) => FieldValue.Of(name == "site" ? site : "x");
    }
}
