namespace Muster.Domain.Rollouts;

/// <summary>Who would be members: so many, and those of them that have a session at the freeze.</summary>
/// <param name="Members">At least 1.</param>
/// <param name="Connected">At most <paramref name="Members"/>.</param>
public sealed record SimulatedFleet(int Members, int Connected)
{
    /// <summary>What they are, where waves have filters or strata; together as many as there are.</summary>
    public ImmutableArray<SimulatedGroup> Groups { get; init; } = [];

    /// <summary>
    /// Of a rollout that takes its steps, by step of the image: how many of the members are below it, as a dry run says. Any of them may be
    /// in any wave.
    /// </summary>
    public ImmutableArray<int> BelowSteps { get; init; } = [];

    /// <summary>Members by how many steps are before them, from 0; empty when nobody has any.</summary>
    internal ImmutableArray<int> StepCounts
    {
        get
        {
            // Who is below a step is below all that follow: the last has the most, and who is below the first has all before him.
            var below = BelowSteps.Reverse().ToList();
            return below.Count == 0
                ? []
                : [Members - below[0], .. below.Select((count, i) => count - (i + 1 < below.Count ? below[i + 1] : 0))];
        }
    }

    /// <summary>A fleet of groups.</summary>
    public static SimulatedFleet Of(ImmutableArray<SimulatedGroup> groups)
    {
        // Members that are too many for a number are too many for a simulation.
        var (members, connected) = (groups.Sum(group => (long)group.Members), groups.Sum(group => (long)group.Connected));
        return new((int)Math.Min(members, int.MaxValue), (int)Math.Min(connected, int.MaxValue)) { Groups = groups };
    }
}

/// <summary>What a simulation takes for granted. All shares are percentages of devices, 0 to 100.</summary>
public sealed record SimulationAssumptions
{
    /// <summary>Offered devices that report a failure.</summary>
    public double FailurePercent { get; init; } = 1;

    /// <summary>The same of an image that is bad: how soon the gates would stop it.</summary>
    public double BadFailurePercent { get; init; } = 30;

    /// <summary>Offered devices that never say what became of it: they time out.</summary>
    public double SilentPercent { get; init; } = 0.5;

    /// <summary>From the offer to the outcome: half of the devices are faster.</summary>
    public TimeSpan TakesMedian { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>19 of 20 devices are faster; between the two a log-normal distribution.</summary>
    public TimeSpan TakesAtMost { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a device stays away that is away at the freeze, on average (exponential).</summary>
    public TimeSpan AwayMean { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long a wave that needs an approver waits for him behind its soak.</summary>
    public TimeSpan ApprovalTakes { get; init; } = TimeSpan.FromHours(4);

    /// <summary>How much of the fleet may be touched by a bad image: a halt after that came too late.</summary>
    public double TouchedPercentMax { get; init; } = 10;
}

/// <summary>How a run ended.</summary>
public enum SimulationEnd
{
    Unspecified = 0,

    /// <summary>All waves passed.</summary>
    Succeeded = 1,

    /// <summary>A gate stopped it.</summary>
    Halted = 2,

    /// <summary>It went on for longer than <see cref="RolloutSimulation.TimeMax"/>.</summary>
    Unfinished = 3,
}

/// <summary>One run.</summary>
/// <param name="End">How it ended.</param>
/// <param name="After">From the start to the end.</param>
/// <param name="Touched">Devices that were offered the image.</param>
/// <param name="Wave">The wave that was open at the end, from 0.</param>
public readonly record struct SimulatedRollout(SimulationEnd End, TimeSpan After, int Touched, int Wave);

/// <summary>All runs with one image, good or bad.</summary>
/// <param name="Runs">In no particular order.</param>
/// <param name="Waves">Members by wave, the same in all of them.</param>
public sealed record SimulationResult(ImmutableArray<SimulatedRollout> Runs, ImmutableArray<int> Waves)
{
    /// <summary>The share of runs that ended so, 0 to 100.</summary>
    public double PercentOf(SimulationEnd end) => 100.0 * Runs.Count(run => run.End == end) / Runs.Length;

    /// <summary>The share of runs that were halted before more than so many devices were touched, 0 to 100.</summary>
    public double PercentHaltedWithin(long touched) =>
        100.0 * Runs.Count(run => run.End == SimulationEnd.Halted && run.Touched <= touched) / Runs.Length;

    /// <summary>The value that <paramref name="percent"/> of the runs that ended so do not exceed (nearest rank).</summary>
    public T? Quantile<T>(SimulationEnd end, int percent, Func<SimulatedRollout, T> value)
        where T : struct, IComparable<T>
    {
        T[] sorted = [.. Runs.Where(run => run.End == end).Select(value).Order()];
        return sorted.Length == 0 ? null : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * percent / 100.0) - 1)];
    }
}
