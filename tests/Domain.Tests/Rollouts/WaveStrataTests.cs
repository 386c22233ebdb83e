using System.Collections.Immutable;
using CsCheck;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>Waves with filters and strata: what the histograms give is what somebody would choose who sees all members.</summary>
public sealed class WaveStrataTests
{
    private static readonly ImmutableArray<string> Fields = ["model", "site"];

    private static readonly Gen<WaveSpec> AnyWave = Gen.Select(
        Gen.Bool, Gen.Int[1, 100], Gen.Bool, Gen.Bool, Gen.Int[0, 4],
        (isCount, size, connectedOnly, isFiltered, strata) =>
            Wave(isCount ? Amount.Count((size / 3) + 1) : Amount.Percent(size), connectedOnly: connectedOnly) with
            {
                Filter = isFiltered ? "state = IN_SERVICE" : null, // what it says is the members' classes here
                StratifyBy = strata switch { 0 or 1 => [], 2 => ["model"], 3 => ["site"], _ => ["site", "model"] },
            });

    private static readonly Gen<Sampled> AnySample = Gen.Select(
        Gen.Int[0, 300], Gen.Int[0, 100], Gen.Int[1, 8], Gen.Int, AnyWave.Array[1, 5],
        (total, connectedPercent, values, seed, waves) =>
        {
            var random = new Random(seed);
            var sorting = WaveSorting.FieldsOf([.. waves]);

            // In some samples many have the same hash, and their ids decide.
            var hashes = random.Next(4) == 0 ? 0xC000_0000_0000_0003 : ulong.MaxValue;
            return new Sampled([.. waves], [.. Enumerable.Range(0, total).Select(i => MemberPoint.Of(
                Device(i), seed, random.Next(100) < connectedPercent)).Select(point => point with
                {
                    Hash = point.Hash & hashes,
                    // Products of two dice: a few values are common and most are rare.
                    Class = new((uint)random.Next(32) & MaskOf(waves), [.. sorting.Select(field =>
                        $"{field}-{random.Next(values) * random.Next(values)}")]),
                })]);
        });

    [Fact]
    public void Cut_OfAnyMembersAndWaves_IsWhatANaiveCutterChooses() => AnySample.Sample(
        sample =>
        {
            var cuts = CutInParts(sample);
            var naive = NaiveCuts.Of(sample.Waves, sample.Members);

            Assert.Equal(naive.Sizes, cuts.Select(cut => cut.Members));
            Assert.All(sample.Members, member => Assert.Equal(naive.WaveOf[member.Device], WaveCut.WaveOf(cuts, member)));
            Assert.Equal(naive.PassedOver, cuts.Take(sample.Waves.Length).Select(cut => cut.PassedOver));
            Assert.Equal(
                naive.Strata,
                cuts.SelectMany((cut, wave) => cut.Strata.Select(stratum =>
                    $"{wave} {string.Join('/', stratum.Values)} {stratum.Members} of {stratum.Available}")));
            Assert.Equal(cuts, WaveCutter.Cut(sample.Waves, sample.Members));
        },
        iter: 3_000);

    [Fact]
    public void Cut_OfAStratifiedWave_HasEveryStratumInProportion() => AnySample.Sample(
        sample =>
        {
            foreach (var cut in CutInParts(sample).Where(cut => cut.IsStratified))
            {
                var (available, members) = (cut.Strata.Sum(stratum => stratum.Available), cut.Members);
                Assert.Equal(members, cut.Strata.Sum(stratum => stratum.Members));
                Assert.All(cut.Strata, stratum => Assert.InRange(stratum.Members, members < cut.Strata.Length ? 0 : 1, stratum.Available));
                if (members < cut.Strata.Length)
                {
                    // Too small for all: the largest are there, with one device each.
                    Assert.All(cut.Strata, stratum => Assert.InRange(stratum.Members, 0, 1));
                    var (there, left) = (cut.Strata.Where(one => one.Members == 1), cut.Strata.Where(one => one.Members == 0));
                    Assert.True(members == 0 || there.Min(one => one.Available) >= left.Max(one => one.Available));
                    continue;
                }

                // Nobody has more than the next whole device above its share, but for its first. And who has less than the whole part of
                // its share has given that to strata that would have none.
                var few = cut.Strata.Count(stratum => stratum.Members == 1);
                Assert.All(cut.Strata, stratum => Assert.InRange(
                    stratum.Members,
                    Math.Max(1, ((long)stratum.Available * members / available) - few),
                    Math.Max(1, (((long)stratum.Available * members) + available - 1) / available)));
            }
        },
        iter: 2_000);

    [Theory]
    [InlineData("60 30 10", 10, "6 3 1")]
    [InlineData("60 30 10", 5, "3 1 1")] // 3, 1.5 and 0.5: the small one has its device, and then 2.67 and 1.33 of 4 are owed
    [InlineData("1 1 1", 2, "1 1 0")] // equal ones in the order of their values
    [InlineData("5 9 9 2", 2, "0 1 1 0")] // fewer devices than strata: the largest
    [InlineData("1000 1", 10, "9 1")]
    [InlineData("50 50", 7, "4 3")]
    [InlineData("3 3 3", 9, "3 3 3")]
    [InlineData("100000000 100000000", 100000000, "50000000 50000000")]
    [InlineData("7", 0, "0")]
    [InlineData("", 0, "")]
    public void Of_StrataAndASize_IsThis(string strata, int wanted, string expected)
    {
        ImmutableArray<int> sizes = [.. strata.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];

        Assert.Equal(expected, string.Join(' ', Apportionment.Of(sizes, wanted)));
    }

    [Fact]
    public void Cut_WithAFilterThatNobodyMatches_HasAnEmptyWave()
    {
        ImmutableArray<WaveSpec> waves = [Wave(Amount.Percent(50)) with { Filter = "site = Lund" }, Wave(Amount.Percent(100))];
        ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 20).Select(i => Point(i, matches: 0))];

        var cuts = WaveCutter.Cut(waves, members);

        Assert.Equal([0, 20], cuts.Select(cut => cut.Members));
        Assert.All(members, member => Assert.Equal(1, WaveCut.WaveOf(cuts, member)));
    }

    [Fact]
    public void Cut_WithFiltersInEveryWave_LeavesTheRestToTheImplicitWave()
    {
        ImmutableArray<WaveSpec> waves =
        [
            Wave(Amount.Count(3)) with { Filter = "site = Lund" },
            Wave(Amount.Percent(100)) with { Filter = "site = Lund" },
        ];
        ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 20).Select(i => Point(i, matches: i < 8 ? 3u : 0u))];

        var cuts = WaveCutter.Cut(waves, members);

        Assert.Equal([3, 5, 12], cuts.Select(cut => cut.Members));
        Assert.Equal((1, false), (cuts[2].Spec, cuts[2].IsFiltered));
        Assert.All(members.Skip(8), member => Assert.Equal(2, WaveCut.WaveOf(cuts, member)));
    }

    [Fact]
    public void Cut_IntoAsManyWavesAsThereMayBe_TellsTheLastFromTheImplicitOne()
    {
        ImmutableArray<WaveSpec> waves =
            [.. Enumerable.Repeat(Wave(Amount.Count(1)) with { Filter = "site = Lund" }, RolloutLimits.WavesMax)];
        ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 40).Select(i => Point(i, matches: i < 35 ? uint.MaxValue : 0))];

        var cuts = WaveCutter.Cut(waves, members);

        Assert.Equal(RolloutLimits.WavesMax + 1, cuts.Length);
        Assert.Equal(8, cuts[^1].Members);
        Assert.All(members.Skip(35), member => Assert.Equal(RolloutLimits.WavesMax, WaveCut.WaveOf(cuts, member)));
    }

    [Fact]
    public void Check_OfStrataThatAreNotTheWave_SaysSo()
    {
        var spec = Spec(Wave(Amount.Count(3)) with { StratifyBy = ["model"] });
        ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 9).Select(i =>
            MemberPoint.Of(Device(i), 7, true) with { Class = new(0, [$"model-{i % 3}"]) })];
        var frozen = new FrozenMembers(WaveCutter.Cut(spec.Waves, members), [0]);
        var plan = RolloutLifecycle.Start(RolloutPlan.Draft, spec, frozen, Order()).Next;
        var cut = plan.Waves[0].Cut;

        Assert.Empty(PlanChecks.Check(plan));
        Assert.NotEmpty(PlanChecks.Check(With(cut with { Strata = cut.Strata[1..] })));
        var none = Enumerable.Repeat(cut.Strata[0] with { Members = 0 }, StratumCut.StrataMax);
        Assert.NotEmpty(PlanChecks.Check(With(cut with { Strata = [.. cut.Strata, .. none] })));

        RolloutPlan With(WaveCut wrong) => plan with { Waves = plan.Waves.SetItem(0, plan.Waves[0] with { Cut = wrong }) };
    }

    [Fact]
    public void Run_OfALargeFleet_AsksForAThousandthOfIt()
    {
        // A stratum's end is somewhere in its own members of one bucket.
        var random = new Random(5);
        ImmutableArray<MemberPoint> members = [.. Enumerable.Range(0, 100_000).Select(i =>
            MemberPoint.Of(Device(i), 5, true) with { Class = new(0, [$"site-{random.Next(200)}"]) })];
        var cutter = new WaveCutter([Wave(Amount.Count(1_000)) with { StratifyBy = ["site"] }], MemberHistogram.Of(members));

        var missing = cutter.Run();

        Assert.Equal(200, missing.Length);
        Assert.InRange(PlaceQuery.Select(missing, members).Length, 200, 800);
        cutter.Add(missing, PlaceQuery.Select(missing, members));
        Assert.Empty(cutter.Run());
        Assert.Equal([1_000, 99_000], cutter.Cuts.Select(cut => cut.Members));
    }

    [Fact]
    public void Run_WithSparseHistogramsOfManyPartitions_SeesTheSameMembers() => AnySample.Sample(
        sample =>
        {
            var parts = Enumerable.Range(0, 3).Select(part => MemberHistogram.Of(sample.Members.Where((_, i) => i % 3 == part))).ToList();
            var sum = MemberHistogram.Sum(parts);

            Assert.Equal(sample.Members.Length, sum.Total);
            Assert.Equal(sum.Total, sum.Classes.Sum(kind => kind.Connected.Total + kind.Disconnected.Total));
            Assert.Equal(sample.Members.Select(member => member.Class).Distinct().Count(), sum.Classes.Length);
            Assert.All(parts, part => Assert.True(part.Classes.Sum(kind =>
                kind.Connected.Buckets.Length + kind.Disconnected.Buckets.Length) <= part.Total));
        },
        iter: 200);

    private static uint MaskOf(WaveSpec[] waves) =>
        waves.Select((wave, i) => wave.HasFilter ? 1u << i : 0).Aggregate(0u, (mask, bit) => mask | bit);

    private static MemberPoint Point(int number, uint matches) =>
        MemberPoint.Of(Device(number), 7, connected: true) with { Class = new(matches, []) };

    /// <summary>As the coordinator does it: partitions report histograms, then only the members that are asked for.</summary>
    private static ImmutableArray<WaveCut> CutInParts(Sampled sample)
    {
        var histogram = MemberHistogram.Of(sample.Members.Where((_, i) => i % 2 == 0))
            .Plus(MemberHistogram.Of(sample.Members.Where((_, i) => i % 2 == 1)));
        var cutter = new WaveCutter(sample.Waves, histogram);
        for (var asked = 0; cutter.Run() is { IsEmpty: false } missing; asked++)
        {
            Assert.InRange(asked, 0, sample.Waves.Length - 1);
            cutter.Add(missing, PlaceQuery.Select(missing, sample.Members));
        }

        return cutter.Cuts;
    }

    private sealed record Sampled(ImmutableArray<WaveSpec> Waves, ImmutableArray<MemberPoint> Members);
}
