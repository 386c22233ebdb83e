using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What devices do that only assumptions describe.</summary>
internal sealed class SimulatedDevices(
    SimulationAssumptions assumptions, double failurePercent, ChangeTimers timers, SeededNumbers random)
{
    /// <summary>The 95th percentile of the standard normal distribution.</summary>
    private const double NormalAtMost = 1.6449;

    /// <summary>All devices take the same time: a number that divides all the same.</summary>
    private const double SpreadMin = 1e-9;

    /// <summary>As many draws are in vain once in 2^64 times.</summary>
    private const int DrawsMax = 64;

    private readonly double _spread = Math.Log(assumptions.TakesAtMost / assumptions.TakesMedian) / NormalAtMost;

    /// <summary>
    /// What becomes of an offer, and after how long; null for one of which nobody ever hears. With install windows all that a device does
    /// is taken to be done from the moment on at which one is open: a download before it makes the end earlier than this.
    /// </summary>
    /// <param name="now">When it is offered the change, or a run begins that finds it in progress.</param>
    /// <param name="attempt">Which offer it is: of a step, or of the image.</param>
    /// <param name="hasBegun">It installs already: no window holds it.</param>
    /// <param name="since">Since when it has been at it; null when it begins now.</param>
    public (ChangeOutcome Outcome, TimeSpan After)? Try(
        DateTimeOffset now, SimulatedAttempt attempt, bool hasBegun = false, DateTimeOffset? since = null)
    {
        var had = since is { } began && began < now ? now - began : TimeSpan.Zero;
        var isWaitedFor = timers.InProgressPolicy == TimeoutPolicy.Wait;
        if (random.Next() * 100 < attempt.PerOffer(assumptions.SilentPercent))
        {
            return isWaitedFor ? null : (ChangeOutcome.TimedOut, Bound(
                timers.DeadlineOf(now - had, now - had, hasBegun ? now - had : null) - now ?? RolloutSimulation.TimeMax));
        }

        var begins = hasBegun ? TimeSpan.Zero : (InstallTimes.OpensAt(timers.InstallWindows, now) ?? now) - now;
        var takes = Takes(had);
        return takes >= timers.InProgressMax && !isWaitedFor ? (ChangeOutcome.TimedOut, Bound(begins + timers.InProgressMax - had))
            : random.Next() * 100 < attempt.PerOffer(failurePercent) ? (ChangeOutcome.Failed, Bound(begins + takes - had))
            : (attempt.StepsLeft > 0 ? ChangeOutcome.StepTaken : ChangeOutcome.Succeeded, Bound(begins + takes - had));
    }

    /// <summary>Where a device stands in the order: the jitter of its back-off comes from that.</summary>
    public ulong Place() => (ulong)(random.Next() * ulong.MaxValue);

    /// <summary>When a device comes free that another rollout has, which nobody knows: as if it began there now, as here.</summary>
    public TimeSpan Leave() => Bound(Takes(TimeSpan.Zero));

    /// <summary>One of so many, from 0.</summary>
    public int Pick(int count) => (int)(random.Next() * count);

    /// <summary>When a device that is away at the start comes back.</summary>
    public TimeSpan Return() => Bound(assumptions.AwayMean * -Math.Log(1 - random.Next()));

    /// <summary>How long a device takes that is not done after so long: who is late is so by more than half of what others take.</summary>
    private TimeSpan Takes(TimeSpan had)
    {
        if (had <= TimeSpan.Zero)
        {
            return assumptions.TakesMedian * Math.Exp(_spread * Normal());
        }

        var least = Math.Log(had / assumptions.TakesMedian) / Math.Max(_spread, SpreadMin);
        var takes = assumptions.TakesMedian * Math.Exp(_spread * NormalAbove(least));
        return takes > had ? takes : had;
    }

    /// <summary>Not before now; what a timer should have ended already ends at once.</summary>
    private static TimeSpan Bound(TimeSpan time) =>
        time < TimeSpan.Zero ? TimeSpan.Zero : time < RolloutSimulation.TimeMax ? time : RolloutSimulation.TimeMax;

    /// <summary>
    /// One that is not below this: drawn until it is, below the middle at most twice on average; above it by an exponential proposal
    /// (Robert, "Simulation of truncated normal variables", 1995), of which three of four are taken.
    /// </summary>
    private double NormalAbove(double least)
    {
        var pace = (least + Math.Sqrt((least * least) + 4)) / 2;
        for (var i = 0; i < DrawsMax; i++)
        {
            var drawn = least <= 0 ? Normal() : least - (Math.Log(1 - random.Next()) / pace);
            if (least <= 0 ? drawn >= least : random.Next() < Math.Exp(-(drawn - pace) * (drawn - pace) / 2))
            {
                return drawn;
            }
        }

        return least;
    }

    /// <summary>Box and Muller.</summary>
    private double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - random.Next())) * Math.Cos(2 * Math.PI * random.Next());
}

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): the same numbers for the same seed, on every
/// runtime.
/// </summary>
internal sealed class SeededNumbers
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private ulong _state;

    private SeededNumbers(ulong state) => _state = state;

    public static SeededNumbers Of(int seed, int run) => new(((ulong)(uint)seed << 32) | (uint)run);

    /// <summary>From 0 to below 1.</summary>
    public double Next()
    {
        _state += Golden;
        var mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        mixed ^= mixed >> 31;
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }
}
