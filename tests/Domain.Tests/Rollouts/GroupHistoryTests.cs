using System.Collections.Immutable;
using CsCheck;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>
/// Random histories of budgets per value under crashes, two activations at a time and messages that are lost, late or repeated: never are
/// more of a group in progress than its budget allows (I3), and in the end everybody has had his turn: no seat is lost for ever, and
/// nobody waits for somebody who waits for him.
/// </summary>
public sealed class GroupHistoryTests
{
    private static readonly Gen<Amount> AnyLimit = Gen.Select(
        Gen.Bool, Gen.Int[1, 3], Gen.Int[1, 100], (isCount, count, percent) => isCount ? Amount.Count(count) : Amount.Percent(percent));

    private static readonly Gen<ImmutableArray<ValueBudget>> AnyBudgets = AnyLimit.Array[1, 3].Select(
        limits => limits.Select((limit, i) => new ValueBudget($"labels.field{i}", limit)).ToImmutableArray());

    [Fact]
    public void Groups_InAnyHistory_KeepTheirBudgetsAndLetEverybodyHaveATurn()
    {
        var sample = Gen.Select(AnyBudgets, Gen.Int, Gen.Int[1, 4], Gen.Int[1, 8], Gen.Int[1, 4], Gen.Int[0, 600]);

        sample.Sample(
            (budgets, seed, partitions, members, values, steps) =>
            {
                var world = new GroupWorld(seed, budgets, partitions, members, values);
                for (var i = 0; i < steps; i++)
                {
                    world.Step();
                }

                world.RunToTheEnd();

                Assert.True(world.HasEnded);
            },
            iter: RolloutHistoryTests.Histories);
    }

    /// <summary>The histories are such that budgets matter: without one, more are in progress than any of them allows.</summary>
    [Fact]
    public void Groups_OfALargeBudget_AreInProgressTogether()
    {
        var world = new GroupWorld(1, [new ValueBudget("site", Amount.Count(100))], 4, 8, 1);
        for (var i = 0; i < 300; i++)
        {
            world.Step();
        }

        Assert.True(world.InProgressMax > 3);
    }
}
