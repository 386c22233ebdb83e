using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class RolloutSpecRulesTests
{
    [Fact]
    public void Validate_ForAGoodSpec_FindsNothing() =>
        Assert.Empty(RolloutSpecRules.Validate(Spec(Wave(Amount.Count(5), 90), Wave(Amount.Percent(100)))));

    [Fact]
    public void Validate_ForABadSpec_FindsEveryProblemAtOnce()
    {
        var spec = Spec(Wave(Amount.Percent(50), 101, 0, -1), Wave(Amount.Percent(50)), Wave(default)) with
        {
            ImageDigest = "abc",
            TargetVersion = "",
            Filter = "colour = red",
            FailureGate = new FailureGate(0, 101, 0),
            DevicesPerMinute = -1,
            MaxUnavailable = Amount.Percent(101),
            InProgressTimeout = TimeSpan.FromSeconds(1),
            UndeliveredTimeout = TimeSpan.FromDays(1000),
        };

        var fields = RolloutSpecRules.Validate(spec).Select(problem => problem.Field);

        Assert.Equal(
            [
                "image_digest", "target_version", "filter",
                "waves[0].success_percent", "waves[0].min_succeeded", "waves[0].soak", "waves[1].size", "waves[2].size",
                "failure_gate.failure_count", "failure_gate.failure_percent", "failure_gate.min_finished",
                "devices_per_minute", "max_unavailable", "in_progress_timeout", "undelivered_timeout",
            ],
            fields);
        Assert.Equal(15, RolloutErrors.SpecInvalid(RolloutSpecRules.Validate(spec)).Metadata.Length);
    }

    /// <summary>No rate and no budget is no limit, which is said; nought of something is not.</summary>
    [Theory]
    [InlineData(0, null, null, null)]
    [InlineData(1, AmountKind.Count, 1, null)]
    [InlineData(0, AmountKind.Percent, 100, null)]
    [InlineData(-1, null, null, "devices_per_minute")]
    [InlineData(RolloutLimits.DevicesPerMinuteMax + 1, null, null, "devices_per_minute")]
    [InlineData(0, AmountKind.Count, 0, "max_unavailable")]
    [InlineData(0, AmountKind.Count, -1, "max_unavailable")]
    [InlineData(0, AmountKind.Percent, 0, "max_unavailable")]
    [InlineData(0, AmountKind.Percent, 101, "max_unavailable")]
    public void Validate_OfRateAndBudget_NamesWhatIsWrong(int perMinute, AmountKind? kind, int? value, string? field)
    {
        var spec = Spec(Wave(Amount.Count(5))) with
        {
            DevicesPerMinute = perMinute,
            MaxUnavailable = kind is { } known ? new Amount(known, value!.Value) : null,
        };

        Assert.Equal(field is null ? [] : [field], RolloutSpecRules.Validate(spec).Select(problem => problem.Field));
    }

    [Theory]
    [InlineData(50, 20, 1000, 400, null)]
    [InlineData(0, 20, 1000, 400, "rate_growth")]
    [InlineData(50, 10, 1000, 400, "rate_growth.factor")]
    [InlineData(50, 51, 1000, 400, "rate_growth.factor")]
    [InlineData(50, 20, 0, 400, "rate_growth.step")]
    [InlineData(50, 20, 1000, 49, "rate_growth.devices_per_minute_max")]
    [InlineData(50, 20, 1000, RolloutLimits.DevicesPerMinuteMax + 1, "rate_growth.devices_per_minute_max")]
    public void Validate_OfAGrowingRate_NamesWhatIsWrong(int perMinute, int tenths, int devices, int most, string? field)
    {
        var spec = Spec(Wave(Amount.Count(5))) with
        {
            DevicesPerMinute = perMinute,
            RateGrowth = new RateGrowth(tenths, RateStep.Offered, devices, most),
        };

        Assert.Equal(field, RolloutSpecRules.Validate(spec).Select(problem => problem.Field).SingleOrDefault());
    }

    [Fact]
    public void Validate_OfFiltersAndStrataThatDevicesHave_FindsNothing() => Assert.Empty(RolloutSpecRules.Validate(Spec(
        Wave(Amount.Count(5)) with { Filter = "labels.ring = early AND connected = true", StratifyBy = ["model", "labels.floor"] },
        Wave(Amount.Percent(100)) with { StratifyBy = ["os_version", "model"] })));

    [Theory]
    [InlineData(-1, false, false, "priority")]
    [InlineData(RolloutLimits.PriorityMax + 1, false, false, "priority")]
    [InlineData(RolloutLimits.PriorityMax, true, false, null)]
    [InlineData(0, true, true, "supersedes_older")]
    [InlineData(3, false, true, null)]
    public void Validate_OfTheTurn_WantsARankAndAnImageToSupersede(int priority, bool supersedes, bool isOfSettings, string? field)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { Priority = priority, SupersedesOlder = supersedes };

        var problems = RolloutSpecRules.Validate(isOfSettings
            ? spec with { ImageDigest = "", TargetVersion = "", Settings = [new Domain.Devices.DeviceSetting("a", "b")] }
            : spec);

        Assert.Equal(field is null ? [] : [field], problems.Select(problem => problem.Field));
    }

    [Theory]
    [InlineData("colour", "'colour' is not a field", 1)]
    [InlineData("model, site", "Each entry is one field", null)]
    [InlineData("", "Each entry is one field", null)]
    [InlineData("settings.root.Brand", "Settings are no strata", null)]
    [InlineData("created_at", "created_at", 1)]
    [InlineData("labels", "labels needs a key", 1)]
    [InlineData("model", "named twice", null)]
    public void Validate_OfAStratumThatIsNone_NamesTheWaveAndTheEntry(string field, string text, int? column)
    {
        var spec = Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100)) with { StratifyBy = ["model", field] });

        var problem = Assert.Single(RolloutSpecRules.Validate(spec));

        Assert.Equal("waves[1].stratify_by[1]", problem.Field);
        Assert.Contains(text, problem.Text, StringComparison.Ordinal);
        Assert.Equal(column is not null, problem.Text.Contains($"stratify_by cannot be read at column {column}", StringComparison.Ordinal));
    }

    [Fact]
    public void Validate_OfAWavesFilterThatCannotBeRead_NamesTheWaveAndTheColumn()
    {
        var problem = Assert.Single(RolloutSpecRules.Validate(
            Spec(Wave(Amount.Count(5)), Wave(Amount.Percent(100)) with { Filter = "site = Lund AND colour = red" })));

        Assert.Equal("waves[1].filter", problem.Field);
        Assert.Contains("column 17", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_OfTooManyFields_CountsThoseOfAllWaves()
    {
        var four = Spec(
            Wave(Amount.Count(5)) with { StratifyBy = ["model", "site"] },
            Wave(Amount.Count(5)) with { StratifyBy = ["track", "os_version"] });
        var inOne = Spec(Wave(Amount.Count(5)) with { StratifyBy = ["model", "site", "track", "os_version"] });

        var problem = Assert.Single(RolloutSpecRules.Validate(four));

        Assert.Equal(("waves", true), (problem.Field, problem.Text.Contains("model, site, track, os_version", StringComparison.Ordinal)));
        Assert.Equal(["waves[0].stratify_by", "waves"], RolloutSpecRules.Validate(inOne).Select(wrong => wrong.Field));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(RolloutLimits.WavesMax + 1)]
    public void Validate_WithNoOrTooManyWaves_Refuses(int count) =>
        Assert.Equal("waves", Assert.Single(RolloutSpecRules.Validate(Spec([.. Enumerable.Repeat(Wave(Amount.Count(1)), count)]))).Field);
}
