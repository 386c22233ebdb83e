using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>The course of a rollout in a record that does not grow.</summary>
public sealed class BurnUpTests
{
    private const int Seed = 20261129;

    /// <summary>A month, looked at irregularly: bounded, in order, and always with the newest.</summary>
    [Fact]
    public void With_ForAMonth_IsBoundedAndEndsWithTheNewest()
    {
#pragma warning disable CA5394 // The same numbers every time is what is wanted.
        var random = new Random(Seed);
        var (series, at, seen) = (BurnUp.Empty, Start, 0);
        for (var look = 0; look < 20_000; look++)
        {
            at = at.AddSeconds(random.Next(0, 260));
            seen += random.Next(0, 3);
            series = series.With(Start, new BurnUpPoint(at, seen, seen / 2, seen / 10));

            Assert.InRange(series.Points.Length, 0, BurnUp.PointsMax);
            Assert.Equal(seen, series.Points.IsEmpty ? 0 : series.Points[^1].Offered);
        }
#pragma warning restore CA5394

        Assert.InRange(series.Points.Length, BurnUp.PointsMax / 2, BurnUp.PointsMax);
        Assert.Equal(series.Points.Select(point => point.At).Order(), series.Points.Select(point => point.At));
        Assert.Equal(series.Points.Select(point => point.Offered).Order(), series.Points.Select(point => point.Offered));
        Assert.InRange(series.Interval, (at - Start) / BurnUp.PointsMax, (at - Start) / BurnUp.PointsMax * 2);
    }

    [Fact]
    public void With_WhenNothingChanged_AddsNothing()
    {
        var series = BurnUp.Empty.With(Start, new BurnUpPoint(Start.AddMinutes(1), 5, 0, 0));

        Assert.Same(series, series.With(Start, new BurnUpPoint(Start.AddMinutes(9), 5, 0, 0)));
        Assert.Same(BurnUp.Empty, BurnUp.Empty.With(Start, new BurnUpPoint(Start.AddMinutes(9), 0, 0, 0)));
    }

    [Fact]
    public void With_TwiceInAnInterval_KeepsTheNewer()
    {
        var series = BurnUp.Empty
            .With(Start, new BurnUpPoint(Start.AddSeconds(1), 5, 0, 0))
            .With(Start, new BurnUpPoint(Start.AddSeconds(4), 9, 1, 0))
            .With(Start, new BurnUpPoint(Start.AddSeconds(3), 9, 2, 0));

        // The clock of another silo is a second behind: the series does not go back.
        Assert.Equal(new BurnUpPoint(Start.AddSeconds(4), 9, 2, 0), Assert.Single(series.Points));
    }

    [Fact]
    public void Plan_WithEveryReport_DrawsWhereTheRolloutStands()
    {
        var spec = Spec(Wave(Amount.Count(5), 20), Wave(Amount.Percent(100)));
        var plan = Granted(Started(spec, 5, 5), 5, 0);

        var first = Step(spec, plan, 10, Totals(5, inProgress: 5), Totals(5)).Next;
        var second = Step(spec, first, 20, Totals(5, succeeded: 2, failed: 1, inProgress: 2) with { Retrying = 1 }, Totals(5)).Next;

        Assert.Equal(
            [new BurnUpPoint(Start.AddSeconds(10), 5, 0, 0), new BurnUpPoint(Start.AddSeconds(20), 5, 2, 2)], second.BurnUp!.Points);
        Assert.Empty(PlanChecks.Check(second));
        Assert.NotEmpty(PlanChecks.Check(second with { BurnUp = second.BurnUp with { Points = [.. second.BurnUp.Points.Reverse()] } }));
    }

    [Fact]
    public void Plan_OfARolloutThatAnEarlierVersionStarted_DrawsNothing()
    {
        var spec = Spec(Wave(Amount.Percent(100)));
        var plan = Granted(Started(spec, 5), 5) with { BurnUp = null };

        Assert.Null(Step(spec, plan, 10, Totals(5, inProgress: 5)).Next.BurnUp);
    }
}
