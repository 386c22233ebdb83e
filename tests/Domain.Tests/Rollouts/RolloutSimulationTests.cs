using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class RolloutSimulationTests
{
    private const int Seed = 7;

    private static readonly SimulationAssumptions Certain = new()
    {
        FailurePercent = 0,
        SilentPercent = 0,
        TakesMedian = TimeSpan.FromMinutes(10),
        TakesAtMost = TimeSpan.FromMinutes(10),
    };

    private static readonly RolloutSpec Canaries = Spec(Wave(Amount.Count(10), 90, soakSeconds: 3_600, connectedOnly: true)) with
    {
        FailureGate = new FailureGate(null, 20, 5),
    };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Canaries for ten minutes, an hour of soak, and the same for the rest: nothing is left to chance.</summary>
    [Fact]
    public void Run_WhenNothingFails_EndsWhenTheWavesAndTheSoakEnd()
    {
        var result = Run(Canaries, new SimulatedFleet(100, 100), Certain, failurePercent: 0, runs: 3);

        Assert.All(result.Runs, run => Assert.Equal((SimulationEnd.Succeeded, 100, 1), (run.End, run.Touched, run.Wave)));
        Assert.All(result.Runs, run => Assert.InRange(run.After, TimeSpan.FromMinutes(140), TimeSpan.FromMinutes(141)));
    }

    [Fact]
    public void Run_WithAWaveThatNeedsAnApprover_WaitsForHim()
    {
        var spec = Canaries with { Waves = [Canaries.Waves[0] with { NeedsApproval = true }] };

        var result = Run(spec, new SimulatedFleet(100, 100), Certain with { ApprovalTakes = TimeSpan.FromHours(3) }, 0, runs: 1);

        // The last wave has the gate of the last listed one.
        Assert.InRange(Assert.Single(result.Runs).After, TimeSpan.FromMinutes(500), TimeSpan.FromMinutes(501));
    }

    /// <summary>Half of the attempts fail, and of ten in a row one in a thousand.</summary>
    [Fact]
    public void Run_WithRetries_TriesAgainAfterTheBackOffAndTouchesNobodyTwice()
    {
        var once = Spec(Wave(Amount.Percent(100), successPercent: 90));
        var retried = once with { Retries = new RetryPolicy(10, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)) };
        var fleet = new SimulatedFleet(100, 100);

        var without = Run(once, fleet, Certain, failurePercent: 50, runs: 20);
        var with = Run(retried, fleet, Certain, failurePercent: 50, runs: 20);

        Assert.Equal(100, without.PercentOf(SimulationEnd.Halted));
        Assert.Equal(100, with.PercentOf(SimulationEnd.Succeeded));
        Assert.All(with.Runs, run => Assert.Equal(100, run.Touched));

        // One retry of the unlucky ones takes its back-off, less a quarter of jitter at most, and ten minutes more.
        Assert.All(with.Runs, run => Assert.True(run.After > TimeSpan.FromMinutes(23), $"{run.After}"));
    }

    /// <summary>One that never says what became of it: a failure, left out, or waited for as long as it takes.</summary>
    [Theory]
    [InlineData(TimeoutPolicy.Fail, SimulationEnd.Halted)]
    [InlineData(TimeoutPolicy.LeaveOut, SimulationEnd.Succeeded)]
    [InlineData(TimeoutPolicy.Wait, SimulationEnd.Unfinished)]
    public void Run_WithSilentDevices_EndsAsTheTimersPolicySays(TimeoutPolicy policy, SimulationEnd end)
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { InProgressPolicy = policy };

        var result = Run(spec, new SimulatedFleet(100, 100), Certain with { SilentPercent = 20 }, failurePercent: 0, runs: 2);

        Assert.Equal(100, result.PercentOf(end));
    }

    [Fact]
    public void Run_OfAnImageThatFailsEverywhere_IsHaltedAtTheCanaries()
    {
        var result = Run(Canaries, new SimulatedFleet(1_000, 1_000), Certain, failurePercent: 100, runs: 50);

        Assert.Equal(100, result.PercentOf(SimulationEnd.Halted));
        Assert.Equal(10, result.Quantile(SimulationEnd.Halted, 95, run => run.Touched));
        Assert.Equal((100.0, 0.0), (result.PercentHaltedWithin(10), result.PercentHaltedWithin(9)));
        Assert.Null(result.Quantile(SimulationEnd.Succeeded, 50, run => run.After));
    }

    /// <summary>Published arithmetic: 50 a minute, never saved up, are 1,000 devices in 19 to 20 minutes.</summary>
    [Fact]
    public void Run_WithARate_TakesTheTimeThatTheRateSays()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { DevicesPerMinute = 50 };

        var result = Run(spec, new SimulatedFleet(1_000, 1_000), Certain, failurePercent: 0, runs: 1);

        Assert.InRange(Assert.Single(result.Runs).After, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(34));
    }

    [Fact]
    public void Run_WithABudget_TakesTheTimeThatTheBudgetSays()
    {
        var spec = Spec(Wave(Amount.Percent(100))) with { MaxUnavailable = Amount.Count(10) };

        var result = Run(spec, new SimulatedFleet(100, 100), Certain, failurePercent: 0, runs: 1);

        // Ten times ten minutes, and a look or two between them.
        Assert.InRange(Assert.Single(result.Runs).After, TimeSpan.FromMinutes(100), TimeSpan.FromMinutes(102));
    }

    /// <summary>A device that is away gets its offer when it is back, and one that does not come back in time has timed out.</summary>
    [Fact]
    public void Run_WithDevicesThatAreAway_WaitsForThemUntilTheirTimeIsOver()
    {
        var spec = Spec(Wave(Amount.Percent(100), successPercent: 0)) with { UndeliveredTimeout = TimeSpan.FromDays(2) };
        var away = Certain with { AwayMean = TimeSpan.FromDays(1) };

        var result = Run(spec, new SimulatedFleet(1_000, 0), away, failurePercent: 0, runs: 1);

        var run = Assert.Single(result.Runs);
        Assert.InRange(run.After, TimeSpan.FromDays(2), TimeSpan.FromDays(2.1));

        // 1 - e^-2 = 86.5 % are back within two days.
        Assert.InRange(run.Touched, 830, 900);
    }

    [Fact]
    public void Run_WithTheSameSeed_IsTheSame()
    {
        var some = new SimulationAssumptions { FailurePercent = 5 };
        var fleet = new SimulatedFleet(200, 150);

        Assert.Equal(Run(Canaries, fleet, some, 5, 20).Runs, Run(Canaries, fleet, some, 5, 20).Runs);
    }

    /// <summary>The planner's own chance: of ten canaries at 30 %, at least 3 fail in 61.7 % of runs; two are 80 %.</summary>
    [Fact]
    public void Run_OfManyCanaries_HaltsAsOftenAsTheBinomialDistributionSays()
    {
        var spec = Spec(Wave(Amount.Count(10), 80, connectedOnly: true));

        var result = Run(spec, new SimulatedFleet(11, 11), Certain, failurePercent: 30, runs: 4_000);

        // At least three of ten, or the last one alone (30 % of the other runs), with three deviations of 0.8 % to each side.
        var atCanaries = 100.0 * result.Runs.Count(run => run is { End: SimulationEnd.Halted, Wave: 0 }) / result.Runs.Length;
        Assert.InRange(atCanaries, 61.7 - 2.4, 61.7 + 2.4);
    }

    [Theory]
    [InlineData(0, 0, 1, "members")]
    [InlineData(10, 11, 1, "connected")]
    [InlineData(10, 10, 0, "runs")]
    [InlineData(1_000_000, 0, 21, "runs")]
    public void Validate_OfWhatCannotRun_NamesTheField(int members, int connected, int runs, string field) => Assert.Equal(
        field, Assert.Single(RolloutSimulation.Validate(Canaries, new SimulatedFleet(members, connected), Certain, runs)).Field);

    [Fact]
    public void Run_WithFiltersAndStrata_CutsTheGroupsOfTheFleet()
    {
        var spec = Spec(
            Wave(Amount.Count(4), connectedOnly: true) with { Filter = "site = Lund AND connected = true", StratifyBy = ["model"] },
            Wave(Amount.Percent(50)) with { Filter = "labels.floor = 2" },
            Wave(Amount.Percent(100)));
        var fleet = SimulatedFleet.Of(
        [
            Group(30, 30, "P3265-V", "Lund", "1"), Group(5, 5, "Q1656", "Lund", "2"),
            Group(60, 50, "P3265-V", "Oslo", "1"), Group(5, 0, "M1137", "Lund", "2"),
        ]);

        Assert.Empty(RolloutSimulation.Validate(spec, fleet, Certain, 3));
        var result = Run(spec, fleet, Certain, failurePercent: 0, runs: 3);

        // Of Lund's connected ones 30 and 5 share four places; one of the second floor is a canary then, and nine are left of ten.
        Assert.Equal((100, 85), (fleet.Members, fleet.Connected));
        Assert.Equal([4, 9, 87], result.Waves);
    }

    [Fact]
    public void Validate_OfGroupsThatDoNotSayWhatWavesLookAt_NamesThem()
    {
        var spec = Spec(Wave(Amount.Count(4)) with { Filter = "track = active", StratifyBy = ["model"] });
        var dated = Spec(Wave(Amount.Count(4)) with { Filter = "created_at > 2026-01-01" });
        var fleet = SimulatedFleet.Of([Group(3, 4, "Q1656", "Lund", "2")]);

        Assert.Equal(
            ["groups[0]", "groups[0].fields"], RolloutSimulation.Validate(spec, fleet, Certain, 3).Select(problem => problem.Field)
                .Where(field => field.StartsWith("groups", StringComparison.Ordinal)));
        Assert.Equal("groups", Assert.Single(RolloutSimulation.Validate(spec, new SimulatedFleet(5, 5), Certain, 3)).Field);
        Assert.Contains(
            RolloutSimulation.Validate(dated, new SimulatedFleet(5, 5), Certain, 3),
            problem => problem.Text.Contains("created_at (of waves[0].filter)", StringComparison.Ordinal));
    }

    private static SimulatedGroup Group(int members, int connected, string model, string site, string floor) => new(
        members,
        connected,
        ImmutableDictionary<string, string>.Empty.Add("model", model).Add("site", site).Add("labels.floor", floor));

    [Fact]
    public void Validate_OfAssumptionsThatAreNone_NamesThem()
    {
        var wrong = new SimulationAssumptions
        {
            FailurePercent = double.NaN,
            BadFailurePercent = 101,
            TakesAtMost = TimeSpan.FromMinutes(1),
            AwayMean = TimeSpan.Zero,
        };

        Assert.Equal(
            ["failure_percent", "bad_failure_percent", "takes_at_most", "away_mean"],
            RolloutSimulation.Validate(Canaries, new SimulatedFleet(1, 1), wrong, 1).Select(problem => problem.Field));
    }

    private static SimulationResult Run(
        RolloutSpec spec, SimulatedFleet fleet, SimulationAssumptions assumptions, double failurePercent, int runs) =>
        RolloutSimulation.Run(spec, fleet, assumptions, failurePercent, runs, Seed, Stop);
}
