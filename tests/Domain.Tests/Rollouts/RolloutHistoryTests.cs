using CsCheck;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// Two thousand random rollouts under crashes, pauses and messages that are lost, late or repeated: none offers more than
/// wave, rate and budget allow (I3), none offers after a pause (I12), none advances below its threshold, and all come to an end.
/// </summary>
public sealed class RolloutHistoryTests
{
    private static readonly Gen<WaveSpec> AnyWave = Gen.Select(
        Gen.Bool, Gen.Int[1, 99], Gen.Int[0, 100], Gen.Int[1, 3], Gen.Int[0, 40], Gen.Bool,
        (isCount, size, percent, minSucceeded, soak, connectedOnly) =>
            Wave(isCount ? Amount.Count((size / 10) + 1) : Amount.Percent(size), percent, minSucceeded, soak, connectedOnly));

    private static readonly Gen<FailureGate> AnyGate = Gen.Select(
        Gen.Int[0, 6], Gen.Int[0, 60], Gen.Int[1, 8],
        (count, percent, minFinished) => new FailureGate(count == 0 ? null : count, percent == 0 ? null : percent, minFinished));

    private static readonly Gen<RolloutSpec> AnySpec = Gen.Select(
        AnyWave.Array[1, 4], AnyGate, Gen.Int[0, 12], Gen.Int[0, 8],
        (waves, gate, rate, budget) => Spec([.. waves]) with
        {
            FailureGate = gate,
            DevicesPerMinute = rate,
            MaxUnavailable = budget == 0 ? null : budget % 2 == 0 ? Amount.Percent(budget * 5) : Amount.Count(budget),
        });

    [Fact]
    public void Plan_InAnyHistory_BreaksNoInvariantAndComesToAnEnd()
    {
        var sample = Gen.Select(AnySpec, Gen.Int, Gen.Int[1, 5], Gen.Int[1, 40], Gen.Bool);

        sample.Sample((spec, seed, partitions, members, regressions) =>
        {
            var world = new RolloutWorld(seed, spec, partitions, members, regressions);
            for (var i = 0; i < 150; i++)
            {
                world.Step();
            }

            world.RunToTheEnd();

            Assert.True(world.Plan.IsTerminal);
        }, iter: 2_000);
    }
}
