using System.Collections.Immutable;
using CsCheck;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;
using static Muster.Domain.Tests.Strategies.StrategyBuilder;

namespace Muster.Domain.Tests.Strategies;

public sealed class StrategyRulesTests
{
    [Fact]
    public void Create_Repeated_GivesTheSameAndAnotherRequestIsRefused()
    {
        var set = Create(StrategySet.Empty, "canary");

        Assert.Empty(StrategyRules.Create(set, Name("canary"), Course(5), "r1", By).Events);
        Assert.Equal("ALREADY_EXISTS", StrategyRules.Create(set, Name("canary"), Course(5), "r2", By).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", StrategyRules.Create(set, Name("canary"), Course(6), "r1", By).Error?.Reason);
        Assert.Empty(StrategyRules.Create(Update(set, "canary", 6), Name("canary"), Course(5), "r1", By).Events);
    }

    [Fact]
    public void Create_OfARolloutsSpec_KeepsOnlyTheCourse()
    {
        var spec = new StrategySpec("", Course(5).Course with { Filter = "site = a", Seed = 7, AllowTrackChange = true });

        var course = StrategyRules.Create(StrategySet.Empty, Name("canary"), spec, "r1", By).Next.Strategies[0].Newest.Spec.Course;

        Assert.Equal(Course(5).Course with { ImageDigest = "", TargetVersion = "" }, course);
    }

    [Fact]
    public void Create_OfWhatIsNoCourse_NamesEveryField()
    {
        var spec = new StrategySpec(new string('x', 201), Course(0).Course with { DevicesPerMinute = -1 });

        var error = StrategyRules.Create(StrategySet.Empty, Name("canary"), spec, "", By).Error;

        Assert.Equal(StrategyErrors.InvalidReason, error?.Reason);
        Assert.Equal(
            ["description", "devices_per_minute", "request_id", "waves[0].size"],
            error!.Metadata.Select(detail => detail.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Create_OfACourseThatIsTooLarge_IsRefused()
    {
        var window = new OfferWindow(
            string.Join(',', Enumerable.Range(10, 31)) + " 1 * * *", OfferWindow.DurationMax, "Europe/Stockholm");
        var wave = Wave(Amount.Count(1_000_000), 100, RolloutLimits.DevicesMax) with { Soak = RolloutLimits.SoakMax };
        var large = Spec([.. Enumerable.Repeat(wave, RolloutLimits.WavesMax)]) with
        {
            Windows = [.. Enumerable.Repeat(window, OfferWindow.WindowsMax)],
        };
        Assert.Empty(RolloutSpecRules.Validate(large));

        var error = StrategyRules.Create(StrategySet.Empty, Name("large"), new StrategySpec("", large), "r1", By).Error;

        Assert.Equal((StrategyErrors.InvalidReason, "waves"), (error?.Reason, error?.Metadata[0].Key));
        var allWaves = new StrategySpec("", large with { Windows = [] });
        Assert.Null(StrategyRules.Create(StrategySet.Empty, Name("large"), allWaves, "r1", By).Error);
    }

    [Fact]
    public void Create_OfMoreThanTheLimit_IsRefused()
    {
        var set = Enumerable.Range(0, StrategyRules.StrategiesMax).Aggregate(StrategySet.Empty, (all, i) => Create(all, $"s{i}"));

        Assert.Equal("LIMIT_REACHED", StrategyRules.Create(set, Name("more"), Course(5), "r1", By).Error?.Reason);
        Assert.Equal(set.Strategies.OrderBy(one => one.Id.Value, StringComparer.Ordinal), set.Strategies);
    }

    [Fact]
    public void Update_WithAnotherCourse_MakesAVersionAndKeepsTheOlder()
    {
        var set = Create(StrategySet.Empty, "canary", 1);
        var read = StrategyRules.Find(set, Name("canary"))!.Newest.Etag;

        var updated = StrategyRules.Update(set, Name("canary"), Course(2), read, By);
        var stale = StrategyRules.Update(updated.Next, Name("canary"), Course(3), read, By);
        var repeated = StrategyRules.Update(updated.Next, Name("canary"), Course(2), read, By);

        var version = Assert.IsType<StrategyUpdated>(Assert.Single(updated.Events)).Version;
        Assert.Equal((2L, Anna, Course(2).Course.Waves[0]), (version.Version, version.ChangedBy, version.Spec.Course.Waves[0]));
        Assert.Equal(StrategyErrors.ChangedReason, stale.Error?.Reason);
        Assert.Empty(repeated.Events);
        Assert.Equal("NOT_FOUND", StrategyRules.Update(set, Name("none"), Course(2), "", By).Error?.Reason);
        Assert.Equal(1, StrategyRules.FindVersion(updated.Next, new(Name("canary"), 1)).Version?.Spec.Course.Waves[0].Size.Value);
        Assert.Equal(2, StrategyRules.FindVersion(updated.Next, new(Name("canary"), 0)).Version?.Spec.Course.Waves[0].Size.Value);
    }

    [Fact]
    public void Versions_BeyondThoseThatAreKept_AreNotFoundAndTheErrorSaysWhichAre()
    {
        var set = Enumerable.Range(2, StrategyRules.VersionsMax).Aggregate(
            Create(StrategySet.Empty, "canary", 1), (all, canaries) => Update(all, "canary", canaries));

        Assert.Equal(
            Enumerable.Range(2, StrategyRules.VersionsMax).Select(version => (long)version),
            set.Strategies[0].Versions.Select(version => version.Version));
        var error = StrategyRules.FindVersion(set, new(Name("canary"), 1)).Error;
        Assert.Equal(("NOT_FOUND", "There is no version 1 of strategy 'canary'; kept are 2 to 9."), (error?.Reason, error?.Message));
    }

    [Fact]
    public void Delete_WhileARuleNamesIt_IsRefusedWithTheSites()
    {
        var set = WithRules(Create(Create(StrategySet.Empty, "canary"), "slow"), Rule("berlin", "canary"), Rule("plant-*", "canary"));

        var refused = StrategyRules.Delete(set, Name("canary"), "");
        var other = StrategyRules.Delete(set, Name("slow"), "");
        var stale = StrategyRules.Delete(set, Name("slow"), "0");

        Assert.Equal(StrategyErrors.InUseReason, refused.Error?.Reason);
        Assert.Contains("berlin, plant-*", refused.Error!.Message, StringComparison.Ordinal);
        Assert.Equal(new StrategyDeleted(Name("slow"), 1), Assert.Single(other.Events));
        Assert.Null(StrategyRules.Find(other.Next, Name("slow")));
        Assert.Equal(StrategyErrors.ChangedReason, stale.Error?.Reason);
        Assert.Equal("NOT_FOUND", StrategyRules.Delete(other.Next, Name("slow"), "").Error?.Reason);
    }

    [Fact]
    public void UpdateSiteRules_WithWhatCannotBe_NamesEveryField()
    {
        var set = Create(StrategySet.Empty, "canary");

        var error = StrategyRules.UpdateSiteRules(
            set,
            [
                Rule("a", "canary"), Rule("a", "canary"), Rule("", "canary"), Rule("b", "none"), Rule("c", "canary", 2),
                Rule("d", "canary", 0),
            ],
            "",
            By).Error;

        Assert.Equal(StrategyErrors.SiteRulesInvalidReason, error?.Reason);
        Assert.Equal(
            ["rules[1].site", "rules[2].site", "rules[3].strategy", "rules[4].minimum_version", "rules[5].minimum_version"],
            error!.Metadata.Select(detail => detail.Key));
        ImmutableArray<SiteRule> many =
            [.. Enumerable.Range(0, StrategyRules.SiteRulesMax + 1).Select(i => Rule($"s{i}", "canary"))];
        Assert.Equal("rules", StrategyRules.UpdateSiteRules(set, many, "", By).Error?.Metadata[0].Key);
        Assert.Null(StrategyRules.UpdateSiteRules(set, many[1..], "", By).Error);
    }

    [Fact]
    public void UpdateSiteRules_OfRulesThatChangedMeanwhile_IsRefusedAndTheSameAgainChangesNothing()
    {
        var set = WithRules(Create(StrategySet.Empty, "canary"), Rule("a", "canary"));
        var read = set.SiteRules.Etag;
        var changed = WithRules(set, Rule("b", "canary"));

        Assert.Equal(
            StrategyErrors.ChangedReason, StrategyRules.UpdateSiteRules(changed, [Rule("c", "canary")], read, By).Error?.Reason);
        Assert.Empty(StrategyRules.UpdateSiteRules(changed, [Rule("b", "canary")], read, By).Events);
        Assert.Equal((Anna, Start), (changed.SiteRules.ChangedBy, changed.SiteRules.ChangedAt));
    }

    /// <summary>Whatever is done in whatever order: rules name what there is, and no revision and no version is given twice.</summary>
    [Fact]
    public void Histories_OfAllChanges_KeepRulesAndNumbersInOrder() => Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[1, 9])
        .Array[1, 60]
        .Sample(steps =>
        {
            var set = StrategySet.Empty;
            var given = new HashSet<(ResourceId, long, long)>();
            foreach (var (what, name, number) in steps)
            {
                var id = Name($"s{name}");
                var decision = what switch
                {
                    0 => StrategyRules.Create(set, id, Course(number), $"r{number}", By),
                    1 => StrategyRules.Update(set, id, Course(number), number == 1 ? "1" : "", By),
                    2 => StrategyRules.Delete(set, id, ""),
                    _ => StrategyRules.UpdateSiteRules(
                        set, number == 9 ? [] : [Rule("a*", $"s{name}", number % 3), Rule("b", $"s{number % 3}")], "", By),
                };
                Assert.Equal(decision.Events.IsEmpty, decision.Next.Revision == set.Revision);
                Assert.True(decision.Error is null || decision.Next == set);
                set = decision.Next;
                foreach (var version in decision.Events.Select(VersionOf).OfType<StrategyVersion>())
                {
                    Assert.Equal(set.Revision, version.Revision);
                    Assert.True(given.Add((version.Strategy, version.Version, version.Revision)));
                }

                Assert.All(set.SiteRules.Rules, rule =>
                {
                    var strategy = Assert.IsType<Strategy>(StrategyRules.Find(set, rule.Strategy));
                    Assert.InRange(rule.MinVersion, 1, strategy.Newest.Version);
                    Assert.True(rule.Takes(strategy.Newest.Reference));
                });
                Assert.All(set.Strategies, strategy =>
                {
                    Assert.InRange(strategy.Versions.Length, 1, StrategyRules.VersionsMax);
                    var first = strategy.Versions[0].Version;
                    Assert.Equal(
                        strategy.Versions.Select((_, i) => first + i), strategy.Versions.Select(version => version.Version));
                });
            }
        });

    private static StrategyVersion? VersionOf(DomainEvent fact) => fact switch
    {
        StrategyCreated created => created.Version,
        StrategyUpdated updated => updated.Version,
        _ => null,
    };
}
