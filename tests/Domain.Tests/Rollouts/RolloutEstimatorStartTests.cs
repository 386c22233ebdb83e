using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>When a draft would end if it was started now: what a dry run says.</summary>
public sealed class RolloutEstimatorStartTests
{
    private static readonly RolloutSpec s_twoWaves = Spec(Wave(Amount.Count(10), 90), Wave(Amount.Percent(100), 90));

    /// <summary>The same end as that of a rollout that has just started, by the same calculation; rate and soaks are in it.</summary>
    [Fact]
    public void StartOf_ADraft_EndsAsIfItHadStarted()
    {
        var spec = Spec(Wave(Amount.Count(10), 90, soakSeconds: 7_200), Wave(Amount.Percent(100), 90)) with
        {
            DevicesPerMinute = 10,
            Windows = [new OfferWindow("0 22 * * *", TimeSpan.FromHours(4), "UTC")],
        };
        var started = Started(spec, 10, 200);
        ImmutableArray<WaveCut> cuts = [.. started.Waves.Select(wave => wave.Cut)];
        var draft = RolloutOf(spec, RolloutPlan.Draft);

        var estimate = RolloutEstimator.Of(RolloutEstimator.StartOf(draft, cuts, Start)!, Start);

        // The window opens at 22 o'clock; two hours of soak later 200 devices need 20 minutes more by the rate, and the last their time.
        Assert.InRange(estimate.EndsAt!.Value, Start.AddHours(16.3), Start.AddHours(19));
        Assert.Contains("210 devices have no outcome", estimate.Text, StringComparison.Ordinal);
        Assert.Equal(
            RolloutEstimator.Of(RolloutOf(spec, Step(spec, started, 0, Totals(10), Totals(200)).Next), Start).EndsAt, estimate.EndsAt);
    }

    [Fact]
    public void StartOf_WhatCannotStart_IsNothing()
    {
        var draft = RolloutOf(s_twoWaves, RolloutPlan.Draft);
        ImmutableArray<WaveCut> cuts = [.. Started(s_twoWaves, 10, 20).Waves.Select(wave => wave.Cut)];

        Assert.Null(RolloutEstimator.StartOf(draft, [], Start));
        Assert.Null(RolloutEstimator.StartOf(draft, [cuts[0] with { Members = 0 }], Start));
        Assert.Null(RolloutEstimator.StartOf(RolloutOf(s_twoWaves, Started(s_twoWaves, 3)), cuts, Start));
    }

    /// <summary>An approver has as long as he takes: from when on he is waited for is what there is to know.</summary>
    [Fact]
    public void StartOf_ADraftWithAManualGate_SaysFromWhenItWaits()
    {
        var spec = Spec(Wave(Amount.Count(10), 90) with { NeedsApproval = true }, Wave(Amount.Percent(100), 90));
        ImmutableArray<WaveCut> cuts = [.. Started(spec, 10, 20).Waves.Select(wave => wave.Cut)];

        var estimate = RolloutEstimator.Of(RolloutEstimator.StartOf(RolloutOf(spec, RolloutPlan.Draft), cuts, Start)!, Start);

        Assert.Equal((EstimateStop.Approval, null), (estimate.Stop, estimate.EndsAt));
        Assert.True(estimate.StopsAt > Start);
    }

    /// <summary>A dry run that is asked again finds what was calculated for it, and one of another fleet does not.</summary>
    [Fact]
    public void StartOf_TheSameSpecAndWaves_IsTheSameQuestion()
    {
        var cuts = Started(s_twoWaves, 3).Waves.Select(wave => wave.Cut).ToImmutableArray();

        var freezes = new[] { (s_twoWaves, cuts), (s_twoWaves, cuts), (s_twoWaves, [cuts[0] with { Members = 2 }, .. cuts[1..]]),
            (s_twoWaves with { DevicesPerMinute = 7 }, cuts) }
            .Select(one => RolloutEstimator.StartOf(RolloutOf(one.Item1, RolloutPlan.Draft), one.Item2, Start)!.Freeze).ToList();

        Assert.Equal(freezes[0], freezes[1]);
        Assert.Equal(3, freezes.Distinct().Count());
    }
}
