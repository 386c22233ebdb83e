using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Estimates when a rollout ends: the planner itself goes on from the committed plan, in virtual time, with devices that take as long and
/// fail as often as those before them. So rate, budget, soaks, windows and gates are the real ones.
/// </summary>
public static class RolloutEstimator
{
    /// <summary>An odd number has a middle; more runs are for simulations before the start.</summary>
    private const int RunsMax = 5;

    /// <summary>Devices of all runs together: half a second of a processor. A large rollout has less chance in it, and one run.</summary>
    private const int DevicesMax = 100_000;

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
        var takes = rollout.Spec.InstallWindows.IsDefaultOrEmpty ? Takes(plan, finished, now) : null;
        var median = (takes ?? new SimulationAssumptions().TakesMedian * MeanByMedian) / MeanByMedian;
        var assumptions = new SimulationAssumptions
        {
            SilentPercent = 0,
            TakesMedian = median,
            TakesAtMost = median * AtMostByMedian,
        };
        var runs = Math.Clamp(DevicesMax / Math.Max(1, left) / 2 * 2 - 1, 1, RunsMax);
        var ends = new List<End>();
        for (var steps = 0; ends.Count < runs && steps < StepsMax;)
        {
            var random = SeededNumbers.Of(unchecked((int)rollout.Spec.Seed), ends.Count);
            var devices = new SimulatedDevices(assumptions, failurePercent, rollout.Spec.Timers, random);
            var coordinator = new SimulatedCoordinator(rollout.Spec, plan, now, devices, StepsMax);
            ends.Add(EndOf(coordinator.Run(), coordinator.Reached, now));
            steps += coordinator.Steps;
        }

        var basis = Basis(rollout, left, takes, failed, finished) + InstallsOf(rollout, now) + LimitsLeftOut(rollout.Spec);
        return Sum(ends, now, basis);
    }

    /// <summary>
    /// How long a device takes on average: the time that all were in progress by those that have ended, which counts those still in
    /// progress for as long as they are. Null while too few have.
    /// </summary>
    private static TimeSpan? Takes(RolloutPlan plan, int finished, DateTimeOffset now)
    {
        var sum = plan.BurnUp?.InProgressFor(now) ?? TimeSpan.Zero;
        return finished < OutcomesMin || sum == TimeSpan.Zero ? null : Max(sum / finished, TimeSpan.FromSeconds(1));
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

    private static string Basis(Rollout rollout, int left, TimeSpan? takes, int failed, int finished)
    {
        var away = rollout.Plan.Waves.Sum(wave => wave.Totals.WaitingOffline);

        // How long devices took so far says how long they waited for their window.
        var why = rollout.Spec.InstallWindows.IsDefaultOrEmpty ? "too few have ended" : "from when it may install";
        var each = takes is { } known
            ? Text($"a device has taken {Words(known)} so far")
            : Text($"a device is taken to need {Words(new SimulationAssumptions().TakesMedian * MeanByMedian)}, {why}");
        return Text($"{left} devices have no outcome, {each}, {failed} of {finished} have failed")
            + (away == 0 ? "" : Text($", and {away} without a session are taken to be back after half a day on average"));
    }

    /// <summary>Of those in progress who is done soon, and who begins later; nothing while all of them may begin.</summary>
    private static string InstallsOf(Rollout rollout, DateTimeOffset now)
    {
        var busy = rollout.Plan.Waves.Sum(wave => wave.Totals.InProgress);
        var installing = rollout.Plan.Waves.Sum(wave => wave.Totals.Installing);
        return rollout.Plan.State != RolloutState.Cancelling
            && busy > installing
            && InstallTimes.OpensAt(rollout.Spec.InstallWindows, now) is { } opensAt
                ? Text($"; of {busy} in progress {installing} install already, the others may from {opensAt:u} on")
                : "";
    }

    /// <summary>Which devices have the same value is not in the plan, so that the end may be later.</summary>
    private static string LimitsLeftOut(RolloutSpec spec) => spec.MaxUnavailablePer.IsDefaultOrEmpty
        ? ""
        : $"; it may be later, for the budgets per value ({string.Join(", ", spec.MaxUnavailablePer)}) are not calculated";

    private static string Words(TimeSpan time) => time.TotalMinutes >= 2
        ? Text($"{time.TotalMinutes:0} min")
        : Text($"{time.TotalSeconds:0} s");

    private static DateTimeOffset RoundUp(DateTimeOffset at) =>
        new((at.UtcTicks + TimeSpan.TicksPerMinute - 1) / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>How one run ended.</summary>
    private readonly record struct End(EstimateStop Stop, DateTimeOffset? At, int Wave);
}
