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

    [Theory]
    [InlineData(0)]
    [InlineData(RolloutLimits.WavesMax + 1)]
    public void Validate_WithNoOrTooManyWaves_Refuses(int count) =>
        Assert.Equal("waves", Assert.Single(RolloutSpecRules.Validate(Spec([.. Enumerable.Repeat(Wave(Amount.Count(1)), count)]))).Field);
}
