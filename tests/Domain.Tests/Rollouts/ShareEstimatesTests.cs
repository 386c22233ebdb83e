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

    /// <summary>Whichever two are added first, and however far they are apart: the oldest are together, and nobody is lost.</summary>
    [Fact]
    public void Sum_OfSinceTotals_IsTheSameInAnyOrderAndStaysSmall()
    {
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var parts = Enumerable.Range(0, 5)
                .Select(_ => SinceTotals.Of(
                    Enumerable.Range(0, random.Next(4)).Select(_ => Start.AddSeconds(random.Next(200_000))), Timers))
                .ToArray();

            var forth = parts.Aggregate(SinceTotals.Sum);
            var back = parts.Reverse().Aggregate(SinceTotals.Sum);
            var last = SinceTotals.Sum(parts[2], SinceTotals.Sum(parts[3], parts[4]));
            var paired = SinceTotals.Sum(SinceTotals.Sum(parts[0], parts[1]), last);

            Assert.Equal(forth, back);
            Assert.Equal(forth, paired);
            Assert.Equal(parts.Sum(part => part?.Members ?? 0), forth?.Members ?? 0);
            Assert.InRange(forth?.Counts.Length ?? 0, 0, SinceTotals.SlotsMax);
        }
    }
}
