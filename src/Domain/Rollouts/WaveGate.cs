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

/// <summary>The gates of a wave, in exact integers (rollouts.md 14 to 16).</summary>
public static class WaveGate
{
    /// <summary>
    /// succeeded × 100 ≥ percent × (members − removed − skipped), and at least min(min_succeeded, members − removed)
    /// successes; said as soon as the members without an outcome cannot change it.
    /// </summary>
    public static GateVerdict Success(WaveSpec gate, ShareTotals totals)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(totals);
        var counted = totals.Members - totals.Removed - totals.Skipped;
        var undecided = totals.Members - totals.Terminal;
        var needed = Math.Min(gate.MinSucceeded, totals.Members - totals.Removed);
        var reachable = totals.Succeeded + undecided;

        if (reachable * 100L < (long)gate.SuccessPercent * counted)
        {
            return GateVerdict.BelowThreshold;
        }

        if (reachable < needed)
        {
            return GateVerdict.NoEvidence;
        }

        return totals.Succeeded * 100L >= (long)gate.SuccessPercent * counted && totals.Succeeded >= needed
            ? GateVerdict.Open
            : GateVerdict.Undecided;
    }

    /// <summary>
    /// Fires at failed ≥ count, or with enough finished at failed × 100 ≥ percent × finished. Failures that an operator
    /// accepted are left out on both sides.
    /// </summary>
    public static bool FailureFires(FailureGate gate, WavePlan wave)
    {
        ArgumentNullException.ThrowIfNull(gate);
        ArgumentNullException.ThrowIfNull(wave);
        var failed = wave.Totals.FailedAll - wave.FailedWaived;
        var finished = wave.Totals.Finished - wave.FinishedWaived;
        return (gate.FailureCount is { } count && failed >= count)
            || (gate.FailurePercent is { } percent && finished >= gate.MinFinished && failed * 100L >= (long)percent * finished);
    }
}
