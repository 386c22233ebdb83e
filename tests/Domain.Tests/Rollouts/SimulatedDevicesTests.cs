using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>How long devices take in estimates that are in the middle of their change.</summary>
public sealed class SimulatedDevicesTests
{
    private static readonly SimulatedAttempt Once = SimulatedAttempt.Of(0, 0);

    /// <summary>Those of all that are not done by then are what it is compared with. Half of all take ten minutes at most.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(12)]
    [InlineData(45)]
    public void Try_OfADeviceThatHasBegun_TakesAsLongAsThoseThatAreNotDoneByThen(int minutes)
    {
        var timers = Timers with { InProgressPolicy = TimeoutPolicy.Wait };
        var devices = new SimulatedDevices(new SimulationAssumptions { SilentPercent = 0 }, 0, timers, SeededNumbers.Of(1, 1));
        var had = TimeSpan.FromMinutes(minutes);
        var left = Enumerable.Range(0, 200_000)
            .Select(_ => devices.Try(Start, Once)!.Value.After)
            .Where(takes => takes > had)
            .Average(takes => (takes - had).TotalMinutes);

        var drawn = Enumerable.Range(0, 20_000)
            .Select(_ => devices.Try(Start, Once, since: Start - had)!.Value)
            .ToList();

        Assert.All(drawn, end => Assert.True(end.Outcome == ChangeOutcome.Succeeded && end.After >= TimeSpan.Zero));
        Assert.InRange(drawn.Average(end => end.After.TotalMinutes), left * 0.93, left * 1.07);
    }

    /// <summary>All take the same time: what is left of it, and nothing of one that should be done.</summary>
    [Theory]
    [InlineData(0, 10)]
    [InlineData(4, 6)]
    [InlineData(25, 0)]
    public void Try_WhenAllTakeTheSameTime_TakesWhatIsLeftOfIt(int minutes, int left)
    {
        var assumptions = new SimulationAssumptions { SilentPercent = 0, TakesAtMost = TimeSpan.FromMinutes(10) };
        var devices = new SimulatedDevices(assumptions, 0, Timers, SeededNumbers.Of(1, 1));

        var end = devices.Try(Start, Once, since: Start.AddMinutes(-minutes));

        Assert.Equal((ChangeOutcome.Succeeded, left), (end!.Value.Outcome, (int)Math.Round(end.Value.After.TotalMinutes)));
    }

    /// <summary>What never says anything ends by its timer: when that really does.</summary>
    [Theory]
    [InlineData(0, 60)]
    [InlineData(20, 40)]
    [InlineData(90, 0)]
    public void Try_OfASilentDevice_EndsByItsTimer(int minutes, int left)
    {
        var devices = new SimulatedDevices(new SimulationAssumptions { SilentPercent = 100 }, 0, Timers, SeededNumbers.Of(1, 1));

        var end = devices.Try(Start, Once, since: Start.AddMinutes(-minutes));

        Assert.Equal((ChangeOutcome.TimedOut, TimeSpan.FromMinutes(left)), end);
    }

    [Theory]
    [InlineData(1, 20)]
    [InlineData(3, 20)]
    [InlineData(9, 100)]
    [InlineData(5, 0)]
    public void PerOffer_OfAnAttempt_LosesAsManyInAllOfItsOffers(int offers, double percent)
    {
        var perOffer = SimulatedAttempt.Of(0, offers - 1).PerOffer(percent);

        Assert.Equal(percent, 100 * (1 - Math.Pow(1 - (perOffer / 100), offers)), precision: 6);
    }
}
