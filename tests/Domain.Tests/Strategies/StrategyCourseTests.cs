using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;
using static Muster.Domain.Tests.Strategies.StrategyBuilder;

namespace Muster.Domain.Tests.Strategies;

public sealed class StrategyCourseTests
{
    /// <summary>What each rollout says itself, also of a strategy; a field that is not here is the strategy's.</summary>
    private static readonly string[] s_orders =
    [
        nameof(RolloutSpec.AllowTrackChange), nameof(RolloutSpec.TakeSteps), nameof(RolloutSpec.Path), nameof(RolloutSpec.Filter),
        nameof(RolloutSpec.ImageDigest), nameof(RolloutSpec.Seed),
        nameof(RolloutSpec.Settings), nameof(RolloutSpec.TargetVersion), nameof(RolloutSpec.RetryOf),
    ];

    private static readonly RolloutSpec ByHand = Spec(Wave(Amount.Count(5), soakSeconds: 60), Wave(Amount.Percent(100))) with
    {
        Filter = "site = Lund",
        RetryOf = Name("winter"),
        Seed = 17,
        AllowTrackChange = true,
        FailureGate = new FailureGate(3, 10, 4) { Action = FailureAction.Abort },
        DevicesPerMinute = 50,
        RateGrowth = new RateGrowth(20, RateStep.Offered, 1_000, 400),
        MaxUnavailable = Amount.Percent(5),
        MaxUnavailablePer = [new ValueBudget("site", Amount.Percent(10)), new ValueBudget("labels.redundancy_group", Amount.Count(1))],
        Retries = new RetryPolicy(3, TimeSpan.FromMinutes(5), TimeSpan.FromHours(4)),
        Windows = [new OfferWindow("0 22 * * *", TimeSpan.FromHours(6), "Europe/Stockholm")],
        InstallWindows = [new OfferWindow("0 23 * * *", TimeSpan.FromHours(4), "Europe/Stockholm")],
        InProgressTimeout = TimeSpan.FromHours(2),
        UndeliveredTimeout = TimeSpan.FromDays(2),
        InProgressPolicy = TimeoutPolicy.LeaveOut,
        UndeliveredPolicy = TimeoutPolicy.Wait,
        ApprovalsRequired = 2,
        OverrideNeedsApprover = true,
        IncludeLateJoiners = true,
        Priority = 3,
        SupersedesOlder = true,
        TakeSteps = true,
        Path = [new StepImage(new string('7', 64), "11.11", "active", ["P3265-V"], ImageConditions.None)],
    };

    [Fact]
    public void Expand_OfACourse_IsTheSameSpecAsByHand()
    {
        var version = VersionOf(ByHand);

        var expanded = StrategyCourse.Expand(version, Ordered(ByHand));

        Assert.Equal(ByHand with { Strategy = version.Reference, IncludeLateJoiners = false }, expanded);
        Assert.Equal("canary@3", expanded.Strategy!.ToString());
        Assert.NotEqual(ByHand.Fingerprint, expanded.Fingerprint);
        Assert.Equal(ByHand.Fingerprint, (expanded with { Strategy = null, IncludeLateJoiners = true }).Fingerprint);
    }

    /// <summary>Nobody joins a rest, and whoever joins the others does so by the strategy's word.</summary>
    [Fact]
    public void Expand_OfACourseWithLateJoiners_HasThemUnlessItRetriesARest()
    {
        var version = VersionOf(ByHand);
        var (rest, all) = (Ordered(ByHand), Ordered(ByHand) with { RetryOf = null });

        var expanded = StrategyCourse.Expand(version, all);

        Assert.True(expanded.IncludeLateJoiners);
        Assert.False(StrategyCourse.Expand(version, rest).IncludeLateJoiners);
        Assert.Empty(RolloutSpecRules.Validate(StrategyCourse.Expand(version, rest)));
        Assert.False(StrategyCourse.Expand(VersionOf(ByHand with { IncludeLateJoiners = false }), all).IncludeLateJoiners);
        Assert.Equal(version.Reference, RestRules.StrategyOf(
            RolloutOf(expanded, RolloutPlan.Draft), expanded with { RetryOf = Id, IncludeLateJoiners = false, Strategy = null }));
    }

    /// <summary>An order cannot weaken the course, whatever it says beside what is its own.</summary>
    [Fact]
    public void Expand_OfAnOrderWithMoreThanItsOwn_TakesTheStrategys()
    {
        var order = Ordered(ByHand) with { Waves = [Wave(Amount.Percent(100), 0)], ApprovalsRequired = 0, FailureGate = FailureGate.Off };

        Assert.Equal(
            StrategyCourse.Expand(VersionOf(ByHand), Ordered(ByHand)), StrategyCourse.Expand(VersionOf(ByHand), order));
    }

    [Fact]
    public void Fields_OfASpec_AreEachTheOrdersOrTheStrategys()
    {
        var none = new RolloutSpec { ImageDigest = "", TargetVersion = "", Waves = [] };
        var order = Ordered(ByHand) with { Settings = [new DeviceSetting("a", "b")] };

        var expanded = StrategyCourse.Expand(VersionOf(ByHand), order) with { IncludeLateJoiners = true }; // of a rest nobody joins
        var course = StrategyCourse.Of(order with { Waves = ByHand.Waves });

        foreach (var property in typeof(RolloutSpec).GetProperties()
            .Where(property => property.SetMethod is not null && property.Name != nameof(RolloutSpec.Strategy)))
        {
            var isOrders = s_orders.Contains(property.Name);
            var given = property.GetValue(isOrders ? order : ByHand);
            Assert.False(
                Equals(given, property.GetValue(none)),
                $"{property.Name} has no value in this test. Is it each rollout's own? Then StrategyCourse, RolloutFields and this test"
                + " have to say so; else ByHand needs a value for it.");
            Assert.True(Equals(given, property.GetValue(expanded)), property.Name);
            Assert.True(!isOrders || Equals(property.GetValue(none), property.GetValue(course)), property.Name);
        }
    }

    [Fact]
    public void IsOf_ARepeatedOrder_IsRecognisedAndAnotherIsNot()
    {
        var made = StrategyCourse.Expand(VersionOf(ByHand), Ordered(ByHand));
        var again = Ordered(ByHand) with { TargetVersion = "" };

        Assert.True(StrategyCourse.IsOf(made, new(Name("canary"), 0), again));
        Assert.True(StrategyCourse.IsOf(made, new(Name("canary"), 3), again));
        Assert.False(StrategyCourse.IsOf(made, new(Name("canary"), 2), again));
        Assert.False(StrategyCourse.IsOf(made, new(Name("other"), 0), again));
        Assert.False(StrategyCourse.IsOf(made, new(Name("canary"), 0), again with { Filter = "" }));
        Assert.False(StrategyCourse.IsOf(ByHand, new(Name("canary"), 0), again));
    }

    [Fact]
    public void Fingerprint_WithoutAStrategy_IsTheSameAsBeforeThereWereStrategies() => Assert.Equal(
        "a9bec012603319474b98b789dad2421b35fef547f535d90dca40217329aeaa81",
        Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100))).Fingerprint);

    private static StrategyVersion VersionOf(RolloutSpec spec) =>
        new(Name("canary"), 3, 12, new StrategySpec("", StrategyCourse.Of(spec)), Anna, Start);

    private static RolloutSpec Ordered(RolloutSpec spec) => new()
    {
        ImageDigest = spec.ImageDigest,
        TargetVersion = spec.TargetVersion,
        Settings = spec.Settings,
        AllowTrackChange = spec.AllowTrackChange,
        TakeSteps = spec.TakeSteps,
        Path = spec.Path,
        Filter = spec.Filter,
        Seed = spec.Seed,
        RetryOf = spec.RetryOf,
        Waves = [],
    };
}
