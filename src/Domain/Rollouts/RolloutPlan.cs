using System.Globalization;

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

    /// <summary>Members: those frozen at the start, and those that joined since.</summary>
    [Id(2)] public int Members { get; init; }

    [Id(3)] public ImmutableArray<WavePlan> Waves { get; init; } = [];

    /// <summary>The partitions that hold members, or can come to, ascending.</summary>
    [Id(4)] public ImmutableArray<SharePlan> Shares { get; init; } = [];

    /// <summary>The offers of the last 60 s by second, oldest first; empty without a rate.</summary>
    [Id(5)] public ImmutableArray<OffersMade> RecentOffers { get; init; } = [];

    /// <summary>The newest decisions, oldest first.</summary>
    [Id(6)] public ImmutableArray<PlanDecision> Decisions { get; init; } = [];

    [Id(7)] public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the terminal state was reached.</summary>
    [Id(8)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The image was revoked: nothing is offered any more, and what was not delivered is taken back.</summary>
    [Id(9)] public bool IsImageRevoked { get; init; }

    /// <summary>A failure gate ends the rollout: when no device is in progress any more it is aborted, not cancelled.</summary>
    [Id(20)] public bool IsAborting { get; init; }

    /// <summary>Not null since the rollout is rolled back: then waves and totals are about the way back.</summary>
    [Id(64)] public RollBackPlan? RollBack { get; init; }

    /// <summary>All decisions ever made; 0 in records of earlier versions, which count those that they keep.</summary>
    [Id(75)] public long DecisionsMade { get; init; }

    /// <summary>Its course since the start; null before, and when it was started by an earlier version.</summary>
    [Id(76)] public BurnUp? BurnUp { get; init; }

    /// <summary>
    /// Every share has stored how its members ended, before the rollout did: its rest can be retried. False before the end, and of a
    /// rollout that ended under an earlier version.
    /// </summary>
    [Id(90)] public bool EndsAreKept { get; init; }

    /// <summary>
    /// Since when nobody joins any more: the waves before that of the late joiners have passed. Null before, and in a rollout that nobody
    /// can join.
    /// </summary>
    [Id(100)] public DateTimeOffset? JoiningEndedAt { get; init; }

    /// <summary>
    /// Devices in service that match and are no members, as of the last reports; of a rollout that has ended, at its end.
    /// </summary>
    [Id(101)] public long LeftOut { get; init; }

    /// <summary>
    /// The images of the spec's path that were revoked since the start: offers of them that were not delivered are taken back, and who has
    /// to take such a step is left out.
    /// </summary>
    [Id(122)] public ImmutableArray<string> RevokedSteps { get; init; } = [];

    /// <summary>The place of the wave of late joiners, always the last; null when nobody can join.</summary>
    public int? JoinersWave => Waves is [.., { Cut.TakesJoiners: true }] ? Waves.Length - 1 : null;

    /// <summary>Devices that joined after the freeze.</summary>
    public int LateJoiners => JoinersWave is { } wave ? Waves[wave].Cut.Members : 0;

    /// <summary>Members frozen at the start: percentages are of these, whoever joins later.</summary>
    public int FrozenMembers => Members - LateJoiners;

    /// <summary>The number of the newest decision; they are numbered from 1.</summary>
    public long DecisionCount => Math.Max(DecisionsMade, Decisions.Length);

    /// <summary>The image of a step was revoked.</summary>
    public bool IsRevokedStep(string digest) => !RevokedSteps.IsDefault && RevokedSteps.Contains(digest);

    /// <summary>True when nothing will happen any more.</summary>
    public bool IsTerminal =>
        State is RolloutState.Succeeded or RolloutState.Cancelled or RolloutState.Aborted or RolloutState.RolledBack;

    /// <summary>Devices may be offered something: the change, or what they ran before.</summary>
    public bool IsOffering => State is RolloutState.Running or RolloutState.RollingBack;

    /// <summary>Not started yet: it may be edited and approved.</summary>
    public bool IsDraft => State is RolloutState.Draft or RolloutState.AwaitingApproval;

    /// <summary>True while a coordinator has to look at it.</summary>
    public bool IsLive => !IsDraft && !IsTerminal;

    /// <summary>
    /// What an approver of the wave has to name: the epoch, the wait, and the failures so far. Whatever stopped the rollout since, ended
    /// the wait, or failed in the wave makes another one. Empty while the wave waits for nobody.
    /// </summary>
    public string ApprovalEtag(int wave) =>
        Waves[wave] is { State: WaveState.AwaitingApproval, AwaitingSince: { } since, Totals.FailedNow: var failed }
            ? string.Create(CultureInfo.InvariantCulture, $"{Epoch}-{since.UtcTicks:x}-{failed}")
            : "";
}

/// <summary>One wave of a started rollout.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-plan")]
public sealed record WavePlan
{
    /// <summary>Which members belong to it; fixed at the freeze, but for the number of late joiners.</summary>
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

    /// <summary>While it waits for an approver, and when he decided: since when.</summary>
    [Id(20)] public DateTimeOffset? AwaitingSince { get; init; }

    /// <summary>Who let the next wave start; null without a manual gate and before.</summary>
    [Id(21)] public WaveApproval? Approval { get; init; }

    /// <summary>What it was when the rollout began to be rolled back; null in one that is not.</summary>
    [Id(64)] public WayThere? Forward { get; init; }

    /// <summary>
    /// The wave with newer totals. An accepted failure that is none any more, because its device tries again, was accepted for itself:
    /// when it fails anew, or another does, that counts.
    /// </summary>
    public WavePlan With(ShareTotals totals)
    {
        ArgumentNullException.ThrowIfNull(totals);
        var lapsed = Math.Max(0, FailedWaived - totals.FailedNow);
        return this with
        {
            Totals = totals,
            FailedWaived = FailedWaived - lapsed,
            FinishedWaived = Math.Max(0, FinishedWaived - lapsed),
        };
    }

    /// <summary>Devices may be offered the change: the wave was reached.</summary>
    public bool IsOpen => State is WaveState.Running or WaveState.Soaking or WaveState.AwaitingApproval or WaveState.Passed;
}

/// <summary>An approver let the wave behind this one start.</summary>
/// <param name="Approver">Who.</param>
/// <param name="At">When.</param>
/// <param name="Etag">What he had seen: <see cref="RolloutPlan.ApprovalEtag"/> at that time.</param>
[GenerateSerializer, Immutable, Alias("muster.wave-approval")]
public sealed record WaveApproval(
    [property: Id(0)] Actor Approver,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] string Etag);

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

    /// <summary>The wave had no member at the freeze, or nobody had joined, and passed at once.</summary>
    public const string WaveEmpty = "WAVE_EMPTY";

    /// <summary>All waves before that of the late joiners have passed: who matches now is the last to join.</summary>
    public const string JoiningEnded = "JOINING_ENDED";

    /// <summary>The wave passed because an operator accepted its result.</summary>
    public const string WaveOverridden = "WAVE_OVERRIDDEN";

    /// <summary>Too few members succeeded.</summary>
    public const string BelowSuccessGate = "BELOW_SUCCESS_GATE";

    /// <summary>Too few successes to conclude anything, whatever the percentage.</summary>
    public const string NoEvidence = "NO_EVIDENCE";

    /// <summary>Too many failures.</summary>
    public const string FailureGate = "FAILURE_GATE";

    /// <summary>The image was revoked; the rollout can only be cancelled.</summary>
    public const string ImageRevoked = Images.ImageErrors.RevokedReason;

    /// <summary>The image of a step was revoked; the rollout goes on for those that need not take it.</summary>
    public const string StepRevoked = Devices.DeviceChanges.StepRevoked;

    /// <summary>A draft's spec was approved by one operator.</summary>
    public const string Approved = "APPROVED";

    /// <summary>A draft got another spec; approvals of the one before are void.</summary>
    public const string Edited = "EDITED";

    /// <summary>The gate is open, and an approver has to decide.</summary>
    public const string AwaitingApproval = "AWAITING_APPROVAL";

    /// <summary>The gate was open, and while an approver was waited for it was not any more.</summary>
    public const string ApprovalWaitBroken = "APPROVAL_WAIT_BROKEN";

    /// <summary>An approver let the next wave start.</summary>
    public const string WaveApproved = "WAVE_APPROVED";

    /// <summary>A failure gate ended the rollout, and no device is in progress any more.</summary>
    public const string Aborted = "ABORTED";

    /// <summary>The rollout is rolled back from here on.</summary>
    public const string RollingBack = "ROLLING_BACK";

    /// <summary>The devices of a wave are offered what they ran before.</summary>
    public const string WaveRollingBack = "WAVE_ROLLING_BACK";

    /// <summary>A wave is back, as far as its devices can be reached.</summary>
    public const string WaveRolledBack = "WAVE_ROLLED_BACK";

    public const string RolledBack = "ROLLED_BACK";

    public const string Paused = "PAUSED";
    public const string Resumed = "RESUMED";
    public const string Overridden = "OVERRIDDEN";
    public const string Cancelling = "CANCELLING";
    public const string Cancelled = "CANCELLED";
    public const string Succeeded = "SUCCEEDED";
}
