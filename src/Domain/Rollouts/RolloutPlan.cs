namespace Muster.Domain.Rollouts;

/// <summary>
/// What the coordinator committed: where the rollout and its waves are, and how many offers each partition was granted.
/// Executors make no choices; they compare this with what they have done.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-plan")]
public sealed record RolloutPlan
{
    /// <summary>A rollout that was created and not started.</summary>
    public static RolloutPlan Draft { get; } = new();

    [Id(0)] public RolloutState State { get; init; } = RolloutState.Draft;

    /// <summary>
    /// Grows with start, pause, resume, cancel, a gate that fires and a change of coordinator; every offer is fenced by it. 0
    /// before the start.
    /// </summary>
    [Id(1)] public long Epoch { get; init; }

    /// <summary>Members frozen at the start.</summary>
    [Id(2)] public int Members { get; init; }

    [Id(3)] public ImmutableArray<WavePlan> Waves { get; init; } = [];

    /// <summary>The partitions that hold members, ascending.</summary>
    [Id(4)] public ImmutableArray<SharePlan> Shares { get; init; } = [];

    /// <summary>The offers of the last 60 s by second, oldest first; empty without a rate.</summary>
    [Id(5)] public ImmutableArray<OffersMade> RecentOffers { get; init; } = [];

    /// <summary>The newest decisions, oldest first.</summary>
    [Id(6)] public ImmutableArray<PlanDecision> Decisions { get; init; } = [];

    [Id(7)] public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the terminal state was reached.</summary>
    [Id(8)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>True when nothing will happen any more.</summary>
    public bool IsTerminal => State is RolloutState.Succeeded or RolloutState.Cancelled;

    /// <summary>True while a coordinator has to look at it.</summary>
    public bool IsLive => State is not RolloutState.Draft && !IsTerminal;
}

/// <summary>One wave of a started rollout.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-plan")]
public sealed record WavePlan
{
    /// <summary>Which members belong to it; fixed at the freeze.</summary>
    [Id(0)] public required WaveCut Cut { get; init; }

    [Id(1)] public required WaveState State { get; init; }

    [Id(2)] public DateTimeOffset? StartedAt { get; init; }

    /// <summary>While it soaks: when the gate is looked at again.</summary>
    [Id(3)] public DateTimeOffset? SoakEndsAt { get; init; }

    [Id(4)] public DateTimeOffset? PassedAt { get; init; }

    /// <summary>The sum of the shares as of the last plan.</summary>
    [Id(5)] public ShareTotals Totals { get; init; } = ShareTotals.Zero;

    /// <summary>An operator accepted the missed success gate with a reason.</summary>
    [Id(6)] public bool SuccessGateWaived { get; init; }

    /// <summary>Failures that an operator accepted with a reason; the failure gate counts those after them.</summary>
    [Id(7)] public int FailedWaived { get; init; }

    /// <summary>The finished devices at that moment.</summary>
    [Id(8)] public int FinishedWaived { get; init; }

    /// <summary>Devices may be offered the change: the wave was reached.</summary>
    public bool IsOpen => State is WaveState.Running or WaveState.Soaking or WaveState.Passed;
}

/// <summary>What one partition was granted.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="ReportVersion">The newest report that the plan took in.</param>
/// <param name="Waves">By wave index.</param>
[GenerateSerializer, Immutable, Alias("muster.share-plan")]
public sealed record SharePlan(
    [property: Id(0)] int Partition,
    [property: Id(1)] long ReportVersion,
    [property: Id(2)] ImmutableArray<WaveGrant> Waves);

/// <summary>The offers that one partition may have made in one wave. All numbers are cumulative and never fall.</summary>
/// <param name="Granted">Permits given so far.</param>
/// <param name="Seen">Permits that the share reported as used or lapsed.</param>
/// <param name="Offered">Permits that became offers.</param>
[GenerateSerializer, Immutable, Alias("muster.wave-grant")]
public readonly record struct WaveGrant(
    [property: Id(0)] long Granted,
    [property: Id(1)] long Seen,
    [property: Id(2)] long Offered)
{
    /// <summary>Permits whose fate is unknown: they count as offers against rate and budget.</summary>
    public long Outstanding => Granted - Seen;
}

/// <summary>Offers whose commit was known at <paramref name="At"/> (a full second, rounded up) at the latest.</summary>
[GenerateSerializer, Immutable, Alias("muster.offers-made")]
public readonly record struct OffersMade([property: Id(0)] DateTimeOffset At, [property: Id(1)] long Count);

/// <summary>Why the plan changed; the answer to "why did wave 3 start?".</summary>
/// <param name="At">When.</param>
/// <param name="Actor">Who or which rule.</param>
/// <param name="Reason">A fixed name, see <see cref="PlanReasons"/>.</param>
/// <param name="Wave">Zero-based; null when it concerns the whole rollout.</param>
/// <param name="Text">One sentence for people, with the numbers.</param>
[GenerateSerializer, Immutable, Alias("muster.plan-decision")]
public sealed record PlanDecision(
    [property: Id(0)] DateTimeOffset At,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] string Reason,
    [property: Id(3)] int? Wave,
    [property: Id(4)] string Text);

/// <summary>The fixed names of decisions.</summary>
public static class PlanReasons
{
    public const string Started = "STARTED";
    public const string WaveStarted = "WAVE_STARTED";
    public const string WaveSoaking = "WAVE_SOAKING";
    public const string WavePassed = "WAVE_PASSED";

    /// <summary>The gate was open, and during the soak it was not any more.</summary>
    public const string SoakBroken = "SOAK_BROKEN";

    /// <summary>The wave had no member at the freeze and passed at once.</summary>
    public const string WaveEmpty = "WAVE_EMPTY";

    /// <summary>The wave passed because an operator accepted its result.</summary>
    public const string WaveOverridden = "WAVE_OVERRIDDEN";

    /// <summary>Too few members succeeded.</summary>
    public const string BelowSuccessGate = "BELOW_SUCCESS_GATE";

    /// <summary>Too few successes to conclude anything, whatever the percentage.</summary>
    public const string NoEvidence = "NO_EVIDENCE";

    /// <summary>Too many failures.</summary>
    public const string FailureGate = "FAILURE_GATE";

    public const string Paused = "PAUSED";
    public const string Resumed = "RESUMED";
    public const string Overridden = "OVERRIDDEN";
    public const string Cancelling = "CANCELLING";
    public const string Cancelled = "CANCELLED";
    public const string Succeeded = "SUCCEEDED";
}
