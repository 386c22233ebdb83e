using System.Globalization;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What an estimate was taken from, and what it leaves out, in words.</summary>
public static partial class RolloutEstimator
{
    private static string Basis(Rollout rollout, int left, TimeSpan? takes, int failed, int finished)
    {
        var away = rollout.Plan.Waves.Sum(wave => wave.Totals.WaitingOffline);

        // How long devices took so far says how long they waited for their window.
        var why = rollout.Spec.InstallWindows.IsDefaultOrEmpty ? "too few have ended" : "from when it may install";
        var what = rollout.Spec.TakeSteps ? "an offer" : "a device";
        var each = takes is { } known
            ? Text($"{what} has taken {Words(known)} so far")
            : Text($"{what} is taken to need {Words(new SimulationAssumptions().TakesMedian * MeanByMedian)}, {why}");
        return Text($"{left} devices have no outcome, {each}, {failed} of {finished} have failed")
            + (away == 0 ? "" : Text($", and {away} without a session are taken to be back after half a day on average"));
    }

    /// <summary>
    /// A device has one change at a time. When other rollouts end there, and which of those that wait for it is first then, only the device
    /// hears, and nobody asks it here.
    /// </summary>
    private static string OthersOf(Rollout rollout)
    {
        var busy = rollout.Plan.Waves.Sum(wave => wave.Totals.WaitingBusy);
        return busy == 0 || rollout.Plan.State == RolloutState.Cancelling ? "" : Text(
            $"; it may be later, for {busy} are busy with other rollouts: when those end there, and whose turn it is then, is not known")
            + ", and they are taken to be free when a device that begins now is done";
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

    /// <summary>What those in progress have behind them is counted; of whom that is not known begins anew.</summary>
    private static string SinceOf(Rollout rollout, DateTimeOffset now)
    {
        var busy = rollout.Plan.Waves.Sum(wave => wave.Totals.InProgress);
        var known = rollout.Plan.Waves.Aggregate((SinceTotals?)null, (sum, wave) => SinceTotals.Sum(sum, wave.Totals.Since));
        if (busy == 0 || known is null)
        {
            return busy == 0 || !rollout.Spec.InstallWindows.IsDefaultOrEmpty ? "" : Text($"; {busy} in progress are taken to begin now");
        }

        var longest = now - known.Times(rollout.Spec.Timers).First();
        var ago = Words(Max(longest, TimeSpan.Zero));
        return Text($"; of {busy} in progress {known.Members} are counted from when they began, the longest at least {ago} ago");
    }

    /// <summary>Each step is an offer of its own; of whom nobody has looked how many he has, none is counted.</summary>
    private static string StepsOf(Rollout rollout, int left)
    {
        if (!rollout.Spec.TakeSteps || left == 0 || rollout.Plan.State == RolloutState.Cancelling)
        {
            return "";
        }

        var known = Ahead(rollout);
        var unknown = Math.Max(0, left - known.Known);
        return (known.Below == 0 ? "" : Text($"; {known.Below} of them have {known.Steps} steps before them, each an offer of its own"))
            + (unknown == 0 ? "" : Text($"; it may be later, for nobody has looked yet whether {unknown} of them have steps before them"));
    }

    private static StepTotals Ahead(Rollout rollout) => rollout.Plan.Waves.Aggregate(
        (StepTotals?)null,
        (sum, wave) => StepTotals.Sum(sum, StepTotals.Sum(wave.Totals.Steps, wave.Totals.StepsInProgress))) ?? new StepTotals([]);

    /// <summary>Which devices have the same value is not in the plan, so that the end may be later.</summary>
    private static string LimitsLeftOut(RolloutSpec spec) => spec.MaxUnavailablePer.IsDefaultOrEmpty
        ? ""
        : $"; it may be later, for the budgets per value ({string.Join(", ", spec.MaxUnavailablePer)}) are not calculated";

    private static string Words(TimeSpan time) => time.TotalMinutes >= 2
        ? Text($"{time.TotalMinutes:0} min")
        : Text($"{time.TotalSeconds:0} s");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
