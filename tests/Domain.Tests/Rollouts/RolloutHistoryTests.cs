using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// Two thousand random rollouts under crashes, pauses and messages that are lost, late or repeated: none offers more than wave, rate and
/// budget allow (I3) or outside its windows, none offers after a pause (I12), none advances below its threshold or past a manual gate that
/// nobody opened, none offers late joiners anything before they are counted and have their turn, none makes an attempt twice, too many or
/// too early, none that takes steps counts a device before it runs the image itself, none is aborted or rolled back but by its gate or an
/// operator, none that is rolled back touches a new device or leaves one behind, none takes a device that another rollout has or that is
/// kept for one, and all come to an end.
/// </summary>
public sealed class RolloutHistoryTests
{
    private static readonly Gen<WaveSpec> AnyPlainWave = Gen.Select(
        Gen.Bool, Gen.Int[1, 99], Gen.Int[0, 100], Gen.Int[1, 3], Gen.Int[0, 40], Gen.Bool, Gen.Int[0, 2],
        (isCount, size, percent, minSucceeded, soak, connectedOnly, manual) =>
            Wave(isCount ? Amount.Count((size / 10) + 1) : Amount.Percent(size), percent, minSucceeded, soak, connectedOnly) with
            {
                NeedsApproval = manual == 0,
            });

    private static readonly Gen<WaveSpec> AnyWave = Gen.Select(
        AnyPlainWave, Gen.Int[0, 3], Gen.Int[0, 5],
        (wave, filter, strata) => wave with
        {
            Filter = filter == 0 ? "site = Lund" : null,
            StratifyBy = strata switch { 0 => ["model"], 1 => ["model", "site"], _ => [] },
        });

    private static readonly Gen<FailureGate> AnyGate = Gen.Select(
        Gen.Int[0, 6], Gen.Int[0, 60], Gen.Int[1, 8], Gen.Int[0, 3],
        (count, percent, minFinished, action) => new FailureGate(count == 0 ? null : count, percent == 0 ? null : percent, minFinished)
        {
            Action = action switch { 0 => FailureAction.Abort, 1 => FailureAction.RollBack, _ => FailureAction.Suspend },
        });

    private static readonly Gen<RateGrowth?> AnyGrowth = Gen.Select(
        Gen.Bool, Gen.Int[RateGrowth.FactorTenthsMin, RateGrowth.FactorTenthsMax], Gen.Bool, Gen.Int[1, 6], Gen.Int[12, 40],
        (grows, factor, bySuccess, devices, most) =>
            grows ? new RateGrowth(factor, bySuccess ? RateStep.Succeeded : RateStep.Offered, devices, most) : null);

    private static readonly Gen<RetryPolicy?> AnyRetries = Gen.Select(
        Gen.Int[0, 4], Gen.Int[1, 60], Gen.Int[1, 120],
        (attempts, backoff, longest) => attempts == 0
            ? null
            : new RetryPolicy(attempts, TimeSpan.FromSeconds(backoff), TimeSpan.FromSeconds(Math.Max(backoff, longest))));

    private static readonly Gen<RolloutSpec> AnyPace = Gen.Select(
        AnyWave.Array[1, 4], AnyGate, Gen.Int[0, 12], Gen.Int[0, 8], AnyGrowth,
        (waves, gate, rate, budget, growth) => Spec([.. waves]) with
        {
            FailureGate = gate,
            DevicesPerMinute = rate,
            RateGrowth = rate == 0 ? null : growth,
            MaxUnavailable = budget == 0 ? null : budget % 2 == 0 ? Amount.Percent(budget * 5) : Amount.Count(budget),
        });

    private static readonly Gen<ImmutableArray<OfferWindow>> AnyWindows = Gen.Select(
        Gen.Int[0, 3], Gen.Int[2, 6], Gen.Int[60, 150],
        (count, minutes, seconds) => count == 0
            ? [new OfferWindow($"*/{minutes} * * * *", TimeSpan.FromSeconds(seconds), "Europe/Stockholm")]
            : ImmutableArray<OfferWindow>.Empty);

    private static readonly Gen<RolloutSpec> AnyRank = Gen.Select(
        AnyPace, Gen.Int[0, 2], Gen.Bool, (spec, priority, supersedes) => spec with { Priority = priority, SupersedesOlder = supersedes });

    private static readonly Gen<RolloutSpec> AnySpec = Gen.Select(
        AnyRank, AnyRetries, Gen.Enum<TimeoutPolicy>(), Gen.Int[60, 600], AnyWindows, Gen.Int[0, 3], Gen.Int[0, 3],
        (spec, retries, undelivered, seconds, windows, perValue, others) => spec with
        {
            TakeSteps = others > 1,
            MaxUnavailablePer = perValue == 0 ? [new ValueBudget("site", Amount.Count(1))] : [], // whether a group is full is drawn too
            IncludeLateJoiners = others % 2 == 0 && perValue != 0,
            Windows = windows,
            InstallWindows = perValue == 1 ? [new OfferWindow("*/4 * * * *", TimeSpan.FromMinutes(2), "Europe/Stockholm")] : [],
            Retries = retries,
            UndeliveredPolicy = undelivered,
            UndeliveredTimeout = TimeSpan.FromSeconds(seconds),
        });

    /// <summary>As many as come to everything that is counted, each of it many times; fewer may not.</summary>
    private const int HistoriesCounted = 2_000;

    /// <summary>Two thousand take some seconds; nightly runs ask for more (docs/developer/random-histories.md).</summary>
    internal static long Histories =>
        long.TryParse(Environment.GetEnvironmentVariable("MUSTER_HISTORIES"), CultureInfo.InvariantCulture, out var asked) && asked > 0
            ? asked
            : HistoriesCounted;

    [Fact]
    public void Plan_InAnyHistory_BreaksNoInvariantAndComesToAnEnd()
    {
        // The number of steps is drawn, so that a history that fails can be made shorter.
        var sample = Gen.Select(AnySpec, Gen.Int, Gen.Int[1, 5], Gen.Int[1, 40], Gen.Bool, Gen.Int[0, 300]);
        var tally = new HistoryTally();

        sample.Sample(
            (spec, seed, partitions, members, regressions, steps) =>
            {
                var world = new RolloutWorld(seed, spec, partitions, members, regressions);
                for (var i = 0; i < steps; i++)
                {
                    world.Step();
                }

                world.RunToTheEnd();

                Assert.True(world.Plan.IsTerminal);
                tally.Add(world);
            },
            iter: Histories,
            print: Tell);

        foreach (var what in Enum.GetValues<Reached>())
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {tally[what]}");
            Assert.True(tally[what] > 0 || Histories < HistoriesCounted, $"no history came to {what}");
        }
    }

    /// <summary>A failing history as it went: what was drawn, and the decisions until then.</summary>
    private static string Tell((RolloutSpec Spec, int Seed, int Partitions, int Members, bool Regressions, int Steps) drawn)
    {
        var world = new RolloutWorld(drawn.Seed, drawn.Spec, drawn.Partitions, drawn.Members, drawn.Regressions);
        var (taken, fault) = (0, "");
        try
        {
            for (; taken < drawn.Steps; taken++)
            {
                world.Step();
            }

            world.RunToTheEnd();
        }
        catch (InvalidOperationException broken)
        {
            fault = broken.Message;
        }

        return string.Join('\n', world.Plan.Decisions
            .Select(decision => string.Create(CultureInfo.InvariantCulture, $"{decision.At:HH:mm:ss}  {decision.Reason}  {decision.Text}"))
            .Prepend($"waves: {string.Join(", ", drawn.Spec.Waves)}")
            .Prepend($"{drawn}")
            .Append(string.Create(CultureInfo.InvariantCulture, $"after {taken} of {drawn.Steps} steps: {world.Plan.State} {fault}")));
    }
}
