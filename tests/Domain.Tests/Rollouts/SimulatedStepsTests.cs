using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// Simulations and estimates of rollouts that take their steps, beside a run of the rules of real ones: the planner, and a share with
/// permits, answers and ends, over devices of which every offer takes ten minutes. 180 offers for 100 members.
/// </summary>
public sealed class SimulatedStepsTests
{
    /// <summary>By member, in the order of a hash in a real rollout, and so in none.</summary>
    private static readonly ImmutableArray<byte> s_steps = [.. Enumerable.Range(0, 100).Select(i => (byte)((i * 37 % 100) switch
    {
        < 30 => 2,
        < 50 => 1,
        _ => 0,
    }))];

    private static readonly SimulatedFleet s_fleet = new(100, 100) { BelowSteps = [30, 50] };

    private static readonly SimulationAssumptions Certain = new()
    {
        FailurePercent = 0,
        SilentPercent = 0,
        TakesMedian = TimeSpan.FromMinutes(10),
        TakesAtMost = TimeSpan.FromMinutes(10),
    };

    [Theory]
    [InlineData(3, 0)]
    [InlineData(0, 5)]
    [InlineData(2, 20)]
    public void Run_OfMembersWithSteps_TakesAsLongAsTheRulesOfRealOnes(int perMinute, int budget)
    {
        var spec = SpecOf(perMinute, budget);
        var real = new RealRun(spec);
        real.RunUntil(TimeSpan.MaxValue);

        var simulated = RolloutSimulation.Run(spec, s_fleet, Certain, 0, runs: 5, seed: 1, TestContext.Current.CancellationToken);
        var without = RolloutSimulation.Run(
            spec, s_fleet with { BelowSteps = [] }, Certain, 0, runs: 1, seed: 1, TestContext.Current.CancellationToken);

        Assert.Equal((RolloutState.Succeeded, 180L), (real.Plan.State, real.Offers));
        Assert.All(simulated.Runs, run => Assert.Equal((SimulationEnd.Succeeded, 100), (run.End, run.Touched)));

        // Who is last is chance: a member with one offer, or with three.
        var chance = TimeSpan.FromMinutes(20);
        Assert.All(simulated.Runs, run => Assert.InRange(run.After, real.After - chance, real.After + chance));
        Assert.True(without.Runs[0].After < real.After * 0.8, $"{without.Runs[0].After} of {real.After}");
    }

    [Theory]
    [InlineData(2, 0, 30)]
    [InlineData(0, 5, 105)]
    public void Of_ARolloutThatTakesItsSteps_CountsThoseThatAreLeft(int perMinute, int budget, int minutes)
    {
        var spec = SpecOf(perMinute, budget);
        var real = new RealRun(spec);
        real.RunUntil(TimeSpan.FromMinutes(minutes));
        var rollout = RolloutOf(spec, real.Plan);
        var blind = RolloutOf(spec, real.Plan with
        {
            Waves = [.. real.Plan.Waves.Select(wave => wave with { Totals = wave.Totals with { Steps = null, StepsInProgress = null } })],
        });
        var now = real.Now;

        var (estimate, without) = (RolloutEstimator.Of(rollout, now), RolloutEstimator.Of(blind, now));
        real.RunUntil(TimeSpan.MaxValue);

        // Devices of an estimate take longer than one another, up to three times: the last of them end it.
        var left = real.Now - now;
        Assert.InRange(estimate.EndsAt!.Value - now, left * 0.9, (left * 1.15) + TimeSpan.FromMinutes(30));
        Assert.True(without.EndsAt - now < (estimate.EndsAt - now) * 0.85, $"{without.EndsAt}, {estimate.EndsAt}");
        Assert.Contains(" steps before them, each an offer of its own", estimate.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody has looked", estimate.Text, StringComparison.Ordinal);
        Assert.Matches("an offer has taken 1[0-3] min so far", estimate.Text);
        Assert.Contains("it may be later, for nobody has looked yet whether ", without.Text, StringComparison.Ordinal);
    }

    /// <summary>Beside the offers that devices got there were forty that no connection got: what one takes those do not say.</summary>
    [Fact]
    public void Of_ARolloutWhoseOffersWentBack_TakesAsLongAsWithoutThem()
    {
        var real = new RealRun(SpecOf(0, 5));
        real.RunUntil(TimeSpan.FromMinutes(105));
        var lossy = real.Plan with
        {
            Waves = [.. real.Plan.Waves.Select(wave => wave with
            {
                Totals = wave.Totals with { Offered = wave.Totals.Offered + 40, WentBack = 40 },
            })],
        };

        Assert.Equal(
            RolloutEstimator.Of(RolloutOf(SpecOf(0, 5), real.Plan), real.Now),
            RolloutEstimator.Of(RolloutOf(SpecOf(0, 5), lossy), real.Now));
    }

    /// <summary>What an attempt loses it loses in one of its offers: as many devices fail with steps as without.</summary>
    [Fact]
    public void Run_OfMembersWithSteps_LosesAsManyDevicesAsWithout()
    {
        var spec = SpecOf(0, 0) with { Waves = [Wave(Amount.Percent(100), successPercent: 80)] };
        var fleet = new SimulatedFleet(1_000, 1_000) { BelowSteps = [1_000, 1_000] };

        var result = RolloutSimulation.Run(spec, fleet, Certain, 20, runs: 200, seed: 1, TestContext.Current.CancellationToken);

        // 80 % is what is expected, so that half of the runs end below it.
        Assert.InRange(result.PercentOf(SimulationEnd.Succeeded), 30, 75);
        Assert.All(
            result.Runs.Where(run => run.End == SimulationEnd.Succeeded),
            run => Assert.InRange(run.After, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(31)));
    }

    [Theory]
    [InlineData(false, new[] { 10 }, "below_steps")]
    [InlineData(true, new[] { 20, 10 }, "below_steps")]
    [InlineData(true, new[] { 101 }, "below_steps")]
    [InlineData(true, new[] { -1, 10 }, "below_steps")]
    [InlineData(true, new[] { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, "below_steps")]
    public void Validate_OfStepsThatCannotBe_SaysSo(bool takesSteps, int[] below, string field)
    {
        var fleet = new SimulatedFleet(100, 100) { BelowSteps = [.. below] };

        var problems = RolloutSimulation.Validate(Spec(Wave(Amount.Percent(100))) with { TakeSteps = takesSteps }, fleet, Certain, 1);

        Assert.Equal(field, Assert.Single(problems).Field);
    }

    private static RolloutSpec SpecOf(int perMinute, int budget) => Spec(Wave(Amount.Percent(100), 90)) with
    {
        TakeSteps = true,
        DevicesPerMinute = perMinute,
        MaxUnavailable = budget == 0 ? null : Amount.Count(budget),
    };

    /// <summary>A rollout of one share by its own rules; only its devices are made up.</summary>
    private sealed class RealRun
    {
        private static readonly TimeSpan s_takes = TimeSpan.FromMinutes(10);
        private readonly RolloutSpec _spec;
        private readonly PriorityQueue<int, DateTimeOffset> _ends = new();
        private readonly byte[] _left = [.. s_steps];
        private readonly long[] _generations = new long[s_steps.Length];
        private readonly ImmutableArray<byte> _waves = [.. s_steps.Select(_ => (byte)0)];
        private readonly MemberReach[] _reach = new MemberReach[s_steps.Length];
        private RolloutShare _share = ShareRules.Freeze(Guid.Empty, 0, s_steps.Length);
        private long _version;

        public RealRun(RolloutSpec spec) => (_spec, Plan) = (spec, Started(spec, s_steps.Length));

        public RolloutPlan Plan { get; private set; }

        public DateTimeOffset Now { get; private set; } = Start;

        public TimeSpan After => Now - Start;

        public long Offers => _share.Permits[0].Offered;

        public void RunUntil(TimeSpan after)
        {
            for (; !Plan.IsTerminal && After < after; Now += TimeSpan.FromSeconds(1))
            {
                End();
                var totals = ShareCount.Totals(_share, _waves, _reach, 1, _spec.Timers, Now, _left);
                Plan = RolloutPlanner.Plan(new RolloutPlanInput(Id, _spec, Plan, [new ShareReport(0, ++_version, totals)], Now)).Next;
                var grant = new PermitGrant([Plan.Shares[0].Waves[0].Granted], Plan.Epoch, Plan.IsOffering, Now);
                _share = ShareRules.TakePermits(_share, grant, _waves, _reach);
                foreach (var offer in _share.Open.Where(offer => !offer.IsConfirmed))
                {
                    Make(offer);
                }
            }
        }

        private void Make(OpenOffer offer)
        {
            var made = offer with { IsConfirmed = true, DeliveredAt = Now, Generation = _generations[offer.Member] += 2 };
            _share = ShareRules.Confirm(_share, offer.Member, 0, made, 0);
            _ends.Enqueue(offer.Member, Now + s_takes);
        }

        private void End()
        {
            while (_ends.TryPeek(out var member, out var at) && at <= Now)
            {
                _ends.Dequeue();
                var outcome = _left[member] > 0 ? ChangeOutcome.StepTaken : ChangeOutcome.Succeeded;
                _left[member] -= (byte)(_left[member] > 0 ? 1 : 0);
                var end = new MemberOutcome(outcome, 0, "", at) { WasMade = true, Generation = _generations[member] };
                _share = ShareRules.Close(_share, member, 0, end);
            }
        }
    }
}
