using System.Collections.Immutable;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>What shares report for estimates: steps that are before members, and since when those in progress are.</summary>
public sealed class ShareEstimatesTests
{
    private static readonly OfferWindow Nights = new("0 22 * * *", TimeSpan.FromHours(4), "UTC");

    /// <summary>Two wait, one of them to try again; one is at its step; one has ended; and two joined behind the last look.</summary>
    [Fact]
    public void Totals_OfMembersWithSteps_CountThoseThatWaitAndThoseInProgress()
    {
        var share = ShareRules.Freeze(Guid.Empty, 0, 7) with
        {
            Members =
            [
                MemberStatus.Waiting, MemberStatus.Retrying, MemberStatus.Offered, MemberStatus.Succeeded, MemberStatus.Waiting,
                MemberStatus.Waiting, MemberStatus.Offered,
            ],
        };

        var waves = ShareCount.Totals(
            share, [0, 0, 0, 0, 1, 0, 0], new MemberReach[7], 2, Timers, Start, [2, 1, 3, 0, 0]);

        Assert.Equal(new StepTotals([0, 1, 1]), waves[0].Steps);
        Assert.Equal(new StepTotals([0, 0, 0, 1]), waves[0].StepsInProgress);
        Assert.Equal((new StepTotals([1]), null), (waves[1].Steps, waves[1].StepsInProgress));
        Assert.Equal((2, 2, 3L), (waves[0].Steps!.Known, waves[0].Steps!.Below, waves[0].Steps!.Steps));
        Assert.Equal(new StepTotals([1, 1, 1]), waves[0].Plus(waves[1]).Steps);
    }

    [Fact]
    public void Totals_WhenNobodyHasLooked_SayNothingOfSteps()
    {
        var totals = ShareCount.Totals(ShareRules.Freeze(Guid.Empty, 0, 1), [0], new MemberReach[1], 1, Timers, Start)[0];

        Assert.Equal((null, null, null), (totals.Steps, totals.StepsInProgress, totals.Since));
    }

    /// <summary>One has named its change, one installs it, and of one nothing is known.</summary>
    [Theory]
    [InlineData(false, 10)]
    [InlineData(true, 40)]
    public void Totals_OfMembersInProgress_KnowSinceWhenTheirTimeRuns(bool hasWindows, int minutes)
    {
        var timers = hasWindows ? Timers with { InstallWindows = [Nights] } : Timers;
        OpenOffer Offer(int member, DateTimeOffset? delivered, DateTimeOffset? installs) =>
            new(member, 1, true, Start, delivered) { InstallsSince = installs };
        var share = ShareRules.Freeze(Guid.Empty, 0, 3) with
        {
            Members = [MemberStatus.Offered, MemberStatus.Offered, MemberStatus.Offered],
            Open = [Offer(0, Start.AddMinutes(10), hasWindows ? Start.AddMinutes(40) : null), Offer(1, null, null), Offer(2, null, null)],
        };

        var totals = ShareCount.Totals(share, [0, 0, 0], new MemberReach[3], 1, timers, Start.AddHours(1))[0];

        var since = Assert.Single(totals.Since!.Times(timers));
        var width = SinceTotals.WidthOf(timers);
        Assert.InRange(since, Start.AddMinutes(minutes) - width, Start.AddMinutes(minutes) + width);
        Assert.Equal(3, totals.InProgress);
    }

    /// <summary>A share counts in every round, whether or not anybody reads an estimate.</summary>
    [Fact]
    public void Totals_OfManyInProgress_TakeNoMoreRoomThanOfAFew()
    {
        const int Members = 4_000;
        var members = Enumerable.Repeat(MemberStatus.Offered, Members).ToImmutableArray();
        var (waves, reach) = (new byte[Members].ToImmutableArray(), new MemberReach[Members]);
        RolloutShare Share(int open) => ShareRules.Freeze(Guid.Empty, 0, Members) with
        {
            Members = members,
            Open = [.. Enumerable.Range(0, open).Select(i => new OpenOffer(i, 1, true, Start, Start.AddMinutes(i % 90)))],
        };
        long CountRoom(RolloutShare share)
        {
            ShareCount.Totals(share, waves, reach, 1, Timers, Start.AddHours(2));
            var before = GC.GetAllocatedBytesForCurrentThread();
            ShareCount.Totals(share, waves, reach, 1, Timers, Start.AddHours(2));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(CountRoom(Share(90)), CountRoom(Share(Members)));
    }

    /// <summary>Whichever two are added first, and however far they are apart: the oldest are together, and nobody is lost.</summary>
    [Fact]
    public void Sum_OfSinceTotals_IsTheSameInAnyOrderAndStaysSmall()
    {
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var times = Enumerable.Range(0, 5)
                .Select(_ => Enumerable.Range(0, random.Next(4)).Select(_ => Start.AddSeconds(random.Next(200_000))).ToArray())
                .ToArray();
            var parts = times.Select(part => SinceTotals.Of(part, Timers)).ToArray();

            var forth = parts.Aggregate(SinceTotals.Sum);
            var back = parts.Reverse().Aggregate(SinceTotals.Sum);
            var all = SinceTotals.Of(times.SelectMany(part => part), Timers);
            var last = SinceTotals.Sum(parts[2], SinceTotals.Sum(parts[3], parts[4]));
            var paired = SinceTotals.Sum(SinceTotals.Sum(parts[0], parts[1]), last);

            Assert.Equal(forth, back);
            Assert.Equal(forth, paired);
            Assert.Equal(forth, all);
            Assert.Equal(parts.Sum(part => part?.Members ?? 0), forth?.Members ?? 0);
            Assert.InRange(forth?.Counts.Length ?? 0, 0, SinceTotals.SlotsMax);
        }
    }
}
