using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// How the members of one wave in one partition stand. Every member is waiting, in progress, or has one outcome; the
/// numbers are totals, never increments, so that a report twice or late changes nothing.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.share-totals")]
public sealed record ShareTotals
{
    /// <summary>Nothing.</summary>
    public static ShareTotals Zero { get; } = new();

    /// <summary>Members frozen into the wave; never changes, but for those that join late.</summary>
    [Id(0)] public int Members { get; init; }

    /// <summary>Not offered now and without an outcome.</summary>
    [Id(1)] public int Waiting { get; init; }

    /// <summary>Those of <see cref="Waiting"/> that have no session.</summary>
    [Id(2)] public int WaitingOffline { get; init; }

    /// <summary>Offers ever made (permits ever used), never falling; the rate counts them.</summary>
    [Id(3)] public long Offered { get; init; }

    [Id(4)] public int Succeeded { get; init; }

    [Id(5)] public int Failed { get; init; }

    [Id(6)] public int TimedOut { get; init; }

    [Id(7)] public int Rejected { get; init; }

    [Id(8)] public int Skipped { get; init; }

    [Id(9)] public int Removed { get; init; }

    /// <summary>Permits of the cumulative grant whose fate the share knows: they became offers, or lapsed.</summary>
    [Id(10)] public long GrantSeen { get; init; }

    /// <summary>Those of <see cref="Waiting"/> that have a session and are busy with another change.</summary>
    [Id(11)] public int WaitingBusy { get; init; }

    /// <summary>Failed and waiting for another attempt: failed for the failure gate, not terminal for the success gate.</summary>
    [Id(20)] public int Retrying { get; init; }

    /// <summary>Those of <see cref="Retrying"/> whose back-off is over and that are reachable and free.</summary>
    [Id(21)] public int RetryingOnline { get; init; }

    /// <summary><see cref="Skipped"/> by reason; null when there are none, and from a silo of an earlier version.</summary>
    [Id(22)] public SkipTotals? Skips { get; init; }

    /// <summary>Only in a rollout that is rolled back: never offered the change, and out of the way back.</summary>
    [Id(64)] public int Untouched { get; init; }

    /// <summary>
    /// Only in a rollout that is rolled back: those of <see cref="InProgress"/> for whom a wave does not wait any longer, see
    /// <see cref="ChangeTimers.IsAway"/>. They go on counting against the budget.
    /// </summary>
    [Id(65)] public int InProgressAway { get; init; }

    /// <summary>Those of <see cref="Waiting"/> that could be offered the change, but for a budget per value.</summary>
    [Id(105)] public int WaitingGroupFull { get; init; }

    /// <summary>The same of <see cref="Retrying"/>.</summary>
    [Id(106)] public int RetryingGroupFull { get; init; }

    /// <summary>
    /// Those of <see cref="InProgress"/> that have begun to install, of a rollout with install windows: the others wait for one.
    /// </summary>
    [Id(134)] public int Installing { get; init; }

    /// <summary>
    /// In progress, delivered, and not known to install: with install windows these begin within them. 0 from a share of an earlier
    /// version.
    /// </summary>
    [Id(135)] public int AwaitingInstall { get; init; }

    /// <summary>
    /// Those of <see cref="Waiting"/> and <see cref="Retrying"/> by the steps before them; null in a rollout that takes none, while nobody
    /// has looked, and from a share of an earlier version.
    /// </summary>
    [Id(155)] public StepTotals? Steps { get; init; }

    /// <summary>The same of <see cref="InProgress"/>: with the step that they are offered.</summary>
    [Id(156)] public StepTotals? StepsInProgress { get; init; }

    /// <summary>
    /// Those of <see cref="InProgress"/> whose time runs, by since when: they have named the change, or with install windows install it.
    /// Null for none, and from a share of an earlier version.
    /// </summary>
    [Id(157)] public SinceTotals? Since { get; init; }

    /// <summary>
    /// Those of <see cref="Offered"/> that were taken back, such as those that no connection got; never falling. 0 from a share of an
    /// earlier version.
    /// </summary>
    [Id(163)] public long WentBack { get; init; }

    /// <summary>What the failure gate counts: those included that will try again.</summary>
    public int FailedNow => FailedAll + Retrying;

    /// <summary>What the failure gate compares them with.</summary>
    public int FinishedNow => Finished + Retrying;

    /// <summary>Failed, timed out or rejected (rollouts.md 8).</summary>
    public int FailedAll => Failed + TimedOut + Rejected;

    /// <summary>Failed or succeeded (rollouts.md 8).</summary>
    public int Finished => FailedAll + Succeeded;

    /// <summary>With an outcome.</summary>
    public int Terminal => Finished + Skipped + Removed + Untouched;

    /// <summary>Offered and without an outcome: these count against the budget.</summary>
    public int InProgress => Members - Waiting - Retrying - Terminal;

    /// <summary>Waiting, reachable and free.</summary>
    public int WaitingOnline => Waiting - WaitingOffline - WaitingBusy - WaitingGroupFull;

    /// <summary>For whom a permit would become an offer at once.</summary>
    public int Ready => WaitingOnline + RetryingOnline;

    /// <summary>For whom it would, had a budget per value room for them.</summary>
    public int GroupFull => WaitingGroupFull + RetryingGroupFull;

    /// <summary>The sum of two shares of a wave.</summary>
    public ShareTotals Plus(ShareTotals other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new ShareTotals
        {
            Members = Members + other.Members,
            Waiting = Waiting + other.Waiting,
            WaitingOffline = WaitingOffline + other.WaitingOffline,
            WaitingBusy = WaitingBusy + other.WaitingBusy,
            Offered = Offered + other.Offered,
            Succeeded = Succeeded + other.Succeeded,
            Failed = Failed + other.Failed,
            TimedOut = TimedOut + other.TimedOut,
            Rejected = Rejected + other.Rejected,
            Skipped = Skipped + other.Skipped,
            Removed = Removed + other.Removed,
            GrantSeen = GrantSeen + other.GrantSeen,
            Retrying = Retrying + other.Retrying,
            RetryingOnline = RetryingOnline + other.RetryingOnline,
            Skips = SkipTotals.Sum(Skips, other.Skips),
            Untouched = Untouched + other.Untouched,
            InProgressAway = InProgressAway + other.InProgressAway,
            WaitingGroupFull = WaitingGroupFull + other.WaitingGroupFull,
            RetryingGroupFull = RetryingGroupFull + other.RetryingGroupFull,
            Installing = Installing + other.Installing,
            AwaitingInstall = AwaitingInstall + other.AwaitingInstall,
            Steps = StepTotals.Sum(Steps, other.Steps),
            StepsInProgress = StepTotals.Sum(StepsInProgress, other.StepsInProgress),
            Since = SinceTotals.Sum(Since, other.Since),
            WentBack = WentBack + other.WentBack,
        };
    }
}

/// <summary>What one partition's share says about all its waves.</summary>
/// <param name="Partition">The partition that it serves.</param>
/// <param name="Version">Grows with every change of the totals (<see cref="ShareRules.ReportVersionOf"/>); an older one never wins.</param>
/// <param name="Waves">By wave index; one entry per wave of the plan.</param>
[GenerateSerializer, Immutable, Alias("muster.share-report")]
public sealed record ShareReport(
    [property: Id(0)] int Partition,
    [property: Id(1)] long Version,
    [property: Id(2)] ImmutableArray<ShareTotals> Waves)
{
    /// <summary>The share has heard that the rollout is rolled back: its totals are about the way back.</summary>
    [Id(64)] public bool IsRollingBack { get; init; }

    /// <summary>Nobody joins here any more (<see cref="RolloutShare.JoiningHasEnded"/>).</summary>
    [Id(100)] public bool JoiningHasEnded { get; init; }

    /// <summary>Devices in service that match and are no members; null until the share has looked.</summary>
    [Id(101)] public int? LeftOut { get; init; }

    /// <summary>
    /// Until then the share has nothing to do of itself, and its partition tells the coordinator when there is news for it. Null when it
    /// has to be asked again and again, and from a share of an earlier version.
    /// </summary>
    [Id(136)] public DateTimeOffset? QuietUntil { get; init; }
}
