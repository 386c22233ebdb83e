using System.Collections.Immutable;
using CsCheck;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

public sealed class WaveCutterTests
{
    private const long Seed = 7;

    [Theory]
    [InlineData(200, 10, 50, 20, 80, 100)]
    [InlineData(5, 10, 50, 1, 2, 2)] // 0.5 rounds up to 1, 2.5 to 3
    [InlineData(3, 10, 50, 0, 2, 1)] // 0.3 rounds down: the wave is empty
    [InlineData(1, 1, 49, 0, 0, 1)]
    public void Cut_WithCumulativePercentages_RoundsHalfUpAndLeavesTheRestToALastWave(
        int total, int first, int second, int firstSize, int secondSize, int rest)
    {
        var cuts = Cut([Wave(Amount.Percent(first)), Wave(Amount.Percent(second))], Members(total, _ => true));

        Assert.Equal([firstSize, secondSize, rest], cuts.Select(cut => cut.Members));
        Assert.Equal(1, cuts[2].Spec);
    }

    [Fact]
    public void Cut_WhenTheWavesTakeEverybody_HasNoImplicitWave() =>
        Assert.Equal([2, 8], Cut([Wave(Amount.Count(2)), Wave(Amount.Percent(100))], Members(10, _ => true)).Select(cut => cut.Members));

    [Fact]
    public void Cut_WhenACountIsLargerThanTheRest_TakesTheRest() =>
        Assert.Equal([10, 0], Cut([Wave(Amount.Count(50)), Wave(Amount.Count(5))], Members(10, _ => true)).Select(cut => cut.Members));

    [Fact]
    public void Cut_WithAConnectedOnlyWave_PassesOverAndCountsTheDisconnected()
    {
        var members = Members(100, i => i % 2 == 0);

        var cuts = Cut([Wave(Amount.Count(10), connectedOnly: true), Wave(Amount.Percent(100))], members);
        var canaries = members.Where(member => WaveCut.WaveOf(cuts, member) == 0).ToList();

        Assert.Equal([10, 90], cuts.Select(cut => cut.Members));
        Assert.Equal(10, canaries.Count);
        Assert.All(canaries, member => Assert.True(member.Connected));
        Assert.Equal(
            members.Count(member => !member.Connected && member.Hash < canaries.Max(canary => canary.Hash)), cuts[0].PassedOver);
    }

    [Fact]
    public void Cut_WithAnotherSeed_ChoosesOtherCanaries()
    {
        var one = Canaries(1);
        var other = Canaries(2);

        Assert.Equal(one, Canaries(1));
        Assert.NotEqual(one, other);

        static List<string> Canaries(long seed)
        {
            ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 1000).Select(i => MemberPoint.Of(Device(i), seed, true))];
            var cuts = Cut([Wave(Amount.Count(10))], members);
            return [.. members.Where(member => WaveCut.WaveOf(cuts, member) == 0).Select(member => member.Device.Value).Order()];
        }
    }

    [Fact]
    public void Of_ForAKnownDevice_NeverChanges() =>
        Assert.Equal(0x3E68F4A8846CD3B2UL, MemberPoint.Of(Device(1), Seed, true).Hash);

    [Fact]
    public void WaveOf_ForAnyMembersAndWaves_GivesEveryWaveExactlyItsMembers()
    {
        var wave = Gen.Select(Gen.Bool, Gen.Int[1, 60], Gen.Bool)
            .Select((isCount, value, connectedOnly) => (isCount, value, connectedOnly));
        var sample = Gen.Select(Gen.Int[1, 300], Gen.Int[0, 100], Gen.Long, wave.Array[1, 5]);

        sample.Sample((total, connectedPercent, seed, listed) =>
        {
            ImmutableArray<MemberPoint> members =
                [.. Enumerable.Range(0, total).Select(i => MemberPoint.Of(Device(i), seed, i * 37 % 100 < connectedPercent))];
            ImmutableArray<WaveSpec> waves = [.. listed.Select(one => Wave(
                one.isCount ? Amount.Count(one.value) : Amount.Percent(one.value), connectedOnly: one.connectedOnly))];

            var cuts = Cut(waves, members);

            // The same by brute force: each wave takes the next in order of those it may take.
            var left = members.OrderBy(member => member.Hash).ToList();
            for (var i = 0; i < cuts.Length; i++)
            {
                var taken = left.Where(member => member.Connected || !cuts[i].ConnectedOnly).Take(cuts[i].Members).ToHashSet();
                Assert.Equal(cuts[i].Members, taken.Count);
                Assert.All(taken, member => Assert.Equal(i, WaveCut.WaveOf(cuts, member)));
                left.RemoveAll(taken.Contains);
            }

            Assert.Empty(left);
        }, iter: 300);
    }

    private static ImmutableArray<MemberPoint> Members(int total, Func<int, bool> connected) =>
        [.. Enumerable.Range(0, total).Select(i => MemberPoint.Of(Device(i), Seed, connected(i)))];

    private static ImmutableArray<WaveCut> Cut(ImmutableArray<WaveSpec> waves, ImmutableArray<MemberPoint> members)
    {
        // As the coordinator does it: two partitions report histograms, then only the buckets that are asked for.
        var histogram = MemberHistogram.Of(members.Where((_, i) => i % 2 == 0))
            .Plus(MemberHistogram.Of(members.Where((_, i) => i % 2 == 1)));
        var cutter = new WaveCutter(waves, histogram);
        var asked = new HashSet<int>();
        while (cutter.Run() is { IsEmpty: false } missing)
        {
            Assert.True(asked.Add(Assert.Single(missing).Bucket));
            Assert.True(asked.Count <= waves.Length);
            cutter.Add(missing, PlaceQuery.Select(missing, members));
        }

        return cutter.Cuts;
    }
}
