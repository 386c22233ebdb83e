namespace Muster.Domain.Rollouts;

/// <summary>What the success gate of a wave says now.</summary>
public enum GateVerdict
{
    /// <summary>Members without an outcome can still decide it either way.</summary>
    Undecided = 0,

    /// <summary>Enough succeeded, whatever the rest does.</summary>
    Open = 1,

    /// <summary>Too few succeeded, whatever the rest does.</summary>
    BelowThreshold = 2,

    /// <summary>The percentage is reached, yet there are too few successes to conclude anything.</summary>
    NoEvidence = 3,
}

/// <summary>The success gate of a wave, with the numbers behind its verdict.</summary>
/// <param name="Verdict">What it says.</param>
/// <param name="Succeeded">Members that succeeded.</param>
/// <param name="Counted">Members that were neither removed nor skipped.</param>
/// <param name="Percent">Succeeded × 100 has to reach this × counted.</param>
/// <param name="Least">Successes that are needed whatever the percentage.</param>
/// <param name="Undecided">Members without an outcome.</param>
public readonly record struct SuccessReading(
    GateVerdict Verdict, int Succeeded, int Counted, int Percent, int Least, int Undecided);

/// <summary>The failure gate of a wave, with the numbers that it compares; failures that an operator accepted are left out.</summary>
/// <param name="Fires">What it says.</param>
/// <param name="Failed">Members that failed.</param>
/// <param name="Finished">Members that failed or succeeded.</param>
/// <param name="FailedWaived">Failures that were accepted.</param>
public readonly record struct FailureReading(bool Fires, int Failed, int Finished, int FailedWaived);

/// <summary>The gates of a wave, in exact integers (rollouts.md 14 to 16).</summary>
public static class WaveGate
{
    /// <summary>
    /// succeeded × 100 ≥ percent × (members − removed − skipped), and at least min(min_succeeded, members − removed)
    /// successes; said as soon as the members without an outcome cannot change it.
    /// </summary>
    public static GateVerdict Success(WaveSpec gate, ShareTotals totals) => ReadSuccess(gate, totals).Verdict;

    /// <summary>As <see cref="Success"/>, with the numbers.</summary>
    public static SuccessReading ReadSuccess(WaveSpec gate, ShareTotals totals)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(totals);
        var counted = totals.Members - totals.Removed - totals.Skipped;
        var undecided = totals.Members - totals.Terminal;
        var needed = Math.Min(gate.MinSucceeded, totals.Members - totals.Removed);
        var numbers = new SuccessReading(GateVerdict.Undecided, totals.Succeeded, counted, gate.SuccessPercent, needed, undecided);
        return numbers with { Verdict = Judge(numbers) };
    }

    private static GateVerdict Judge(SuccessReading numbers)
    {
        var reachable = numbers.Succeeded + numbers.Undecided;
        var threshold = (long)numbers.Percent * numbers.Counted;
        if (reachable * 100L < threshold)
        {
            return GateVerdict.BelowThreshold;
        }

        if (reachable < numbers.Least)
        {
            return GateVerdict.NoEvidence;
        }

        return numbers.Succeeded * 100L >= threshold && numbers.Succeeded >= numbers.Least
            ? GateVerdict.Open
            : GateVerdict.Undecided;
    }

    /// <summary>
    /// Fires at failed ≥ count, or with enough finished at failed × 100 ≥ percent × finished. Failures that an operator
    /// accepted are left out on both sides; a device that waits for another attempt has failed.
    /// </summary>
    public static bool FailureFires(FailureGate gate, WavePlan wave) => ReadFailures(gate, wave).Fires;

    /// <summary>As <see cref="FailureFires"/>, with the numbers.</summary>
    public static FailureReading ReadFailures(FailureGate gate, WavePlan wave)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(wave);
        var failed = wave.Totals.FailedNow - wave.FailedWaived;
        var finished = wave.Totals.FinishedNow - wave.FinishedWaived;
        var fires = (gate.FailureCount is { } count && failed >= count)
            || (gate.FailurePercent is { } percent && finished >= gate.MinFinished && failed * 100L >= (long)percent * finished);
        return new(fires, failed, finished, wave.FailedWaived);
    }
}
