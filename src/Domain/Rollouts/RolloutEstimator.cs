namespace Muster.Domain.Rollouts;

/// <summary>
/// Estimates when a rollout ends: the planner itself goes on from the committed plan, in virtual time, with devices that take as long and
/// fail as often as those before them. So rate, budget, soaks, windows and gates are the real ones.
/// </summary>
public static partial class RolloutEstimator
{
    /// <summary>An odd number has a middle; more runs are for simulations before the start.</summary>
    private const int RunsMax = 5;

    /// <summary>
    /// Offers of all runs together, one for a device and one for each of its steps: half a second of a processor. A large rollout has less
    /// chance in it, and one run.
    /// </summary>
    private const int OffersMax = 100_000;

    /// <summary>Looks of the planner in all runs: two weeks at a rate that is used up each minute. A long one has fewer runs.</summary>
    private const int StepsMax = 50_000;

    /// <summary>Fewer outcomes say nothing about how long a device takes.</summary>
    private const int OutcomesMin = 5;

    /// <summary>19 of 20 devices take at most three times as long as half of them do, as a simulation assumes it.</summary>
    private const double AtMostByMedian = 3;

    /// <summary>The mean of that log-normal distribution by its median: e to the half of ((ln 3) / 1.6449)².</summary>
    private const double MeanByMedian = 1.25;

    /// <summary>The estimate; bounded work, no state.</summary>
    /// <param name="rollout">With its newest plan.</param>
    /// <param name="now">When it is asked.</param>
    public static RolloutEstimate Of(Rollout rollout, DateTimeOffset now) => WithoutSimulation(rollout) ?? Simulate(rollout, now);

    /// <summary>What the state alone says, at no cost; null when it has to be calculated.</summary>
    /// <param name="rollout">With its newest plan.</param>
    public static RolloutEstimate? WithoutSimulation(Rollout rollout)
    {
        ArgumentNullException.ThrowIfNull(rollout);
        var plan = rollout.Plan;
        if (plan.IsTerminal)
        {
            return new(plan.EndedAt, EstimateStop.Unspecified, null, "it has ended");
        }

        if (plan.IsDraft)
        {
            return new(null, EstimateStop.Start, null, "unknown: nobody has started it");
        }

        if (plan.State is RolloutState.Paused or RolloutState.Suspended)
        {
            return new(null, EstimateStop.Resume, null, $"unknown: it is {plan.State}, and waits for an operator");
        }

        if (plan.RollBack is not null)
        {
            return new(null, EstimateStop.TooFar, null, "unknown: a way back is not calculated");
        }

        return plan.Members > RolloutSimulation.MembersMax
            ? new(null, EstimateStop.TooFar, null, $"unknown: more than {RolloutSimulation.MembersMax} members are not simulated")
            : null;
    }

    private static RolloutEstimate Simulate(Rollout rollout, DateTimeOffset now)
    {
        var plan = rollout.Plan;
        var left = plan.Waves.Sum(wave => wave.Cut.Members - wave.Totals.Terminal);
        var (failed, finished) = (plan.Waves.Sum(wave => wave.Totals.FailedNow), plan.Waves.Sum(wave => wave.Totals.FinishedNow));
        var failurePercent = finished == 0 ? 0 : 100.0 * failed / finished;
        var takes = rollout.Spec.InstallWindows.IsDefaultOrEmpty ? Takes(plan, EndedOf(rollout), now) : null;
        var median = (takes ?? new SimulationAssumptions().TakesMedian * MeanByMedian) / MeanByMedian;
        var assumptions = new SimulationAssumptions
        {
            SilentPercent = 0,
            TakesMedian = median,
            TakesAtMost = median * AtMostByMedian,
        };
        var runs = Math.Clamp(OffersMax / Math.Max(1, left + (int)Ahead(rollout).Steps) / 2 * 2 - 1, 1, RunsMax);
        var ends = new List<End>();
        for (var steps = 0; ends.Count < runs && steps < StepsMax;)
        {
            var random = SeededNumbers.Of(unchecked((int)rollout.Spec.Seed), ends.Count);
            var devices = new SimulatedDevices(assumptions, failurePercent, rollout.Spec.Timers, random);
            var coordinator = new SimulatedCoordinator(rollout.Spec, plan, now, devices, StepsMax);
            ends.Add(EndOf(coordinator.Run(), coordinator.Reached, now));
            steps += coordinator.Steps;
        }

        var basis = Basis(rollout, left, takes, failed, finished) + OthersOf(rollout) + InstallsOf(rollout, now) + SinceOf(rollout, now)
            + StepsOf(rollout, left) + LimitsLeftOut(rollout.Spec);
        return Sum(ends, now, basis);
    }

    /// <summary>
    /// What has ended: devices, or where they take steps, offers, of which each step is one. An offer that was taken back says nothing of
    /// how long one takes that a device has got.
    /// </summary>
    private static long EndedOf(Rollout rollout)
    {
        var waves = rollout.Plan.Waves;
        return rollout.Spec.TakeSteps
            ? waves.Sum(wave => Math.Max(0, wave.Totals.Offered - wave.Totals.InProgress - wave.Totals.WentBack))
            : waves.Sum(wave => (long)wave.Totals.FinishedNow);
    }

    /// <summary>
    /// How long a device, or an offer, takes on average: the time that all were in progress by those that have ended, which counts those
    /// still in progress for as long as they are. Null while too few have.
    /// </summary>
    private static TimeSpan? Takes(RolloutPlan plan, long ended, DateTimeOffset now)
    {
        var sum = plan.BurnUp?.InProgressFor(now) ?? TimeSpan.Zero;
        return ended < OutcomesMin || sum == TimeSpan.Zero ? null : Max(sum / ended, TimeSpan.FromSeconds(1));
    }

    private static End EndOf(SimulatedRollout run, RolloutPlan plan, DateTimeOffset now)
    {
        var at = now + run.After;
        if (run.End == SimulationEnd.Succeeded || plan.IsTerminal)
        {
            return new(EstimateStop.Unspecified, at, -1);
        }

        if (run.End == SimulationEnd.Halted)
        {
            return new(EstimateStop.Gate, at, run.Wave);
        }

        var wave = plan.Waves.Select(one => one.State).ToList().IndexOf(WaveState.AwaitingApproval);
        return wave >= 0 ? new(EstimateStop.Approval, plan.Waves[wave].AwaitingSince, wave)
            : new(EstimateStop.TooFar, null, -1);
    }

    /// <summary>How most of the runs ended, and the time in the middle of those.</summary>
    private static RolloutEstimate Sum(List<End> ends, DateTimeOffset now, string basis)
    {
        var most = ends.GroupBy(end => end.Stop).OrderByDescending(group => group.Count()).ThenBy(group => group.Key).First()
            .OrderBy(end => end.At).ToList();
        var (stop, at, wave) = most[most.Count / 2];
        var rounded = at is { } known ? RoundUp(known) : (DateTimeOffset?)null;
        return stop switch
        {
            EstimateStop.Unspecified => new(rounded, stop, null, Text($"ends about {rounded:u}: {basis}")),
            EstimateStop.Approval => new(
                null, stop, at > now ? rounded : null, Text($"unknown: wave {wave} waits for an approver from {rounded:u} on: {basis}")),
            EstimateStop.Gate => new(
                null, stop, rounded, Text($"unknown: as devices fail now, a gate stops it about {rounded:u}: {basis}")),
            EstimateStop.TooFar => new(null, stop, null, $"unknown: it takes longer than is calculated: {basis}"),
            _ => throw new UnreachableException($"A run that ends with {stop}."),
        };
    }

    private static DateTimeOffset RoundUp(DateTimeOffset at) =>
        new((at.UtcTicks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>How one run ended.</summary>
    private readonly record struct End(EstimateStop Stop, DateTimeOffset? At, int Wave);
}
