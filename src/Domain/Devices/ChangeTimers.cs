using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>What becomes of a change whose time is over (rollouts.md 9).</summary>
public enum TimeoutPolicy
{
    /// <summary>It has timed out, which is a failure. What was stored before there was a choice.</summary>
    Fail = 0,

    /// <summary>It is skipped: it counts neither for a gate nor against it.</summary>
    LeaveOut = 1,

    /// <summary>Nothing: it goes on for as long as it takes, and keeps its permit.</summary>
    Wait = 2,
}

/// <summary>The two timers of a change; one runs until its delivery, the other from there.</summary>
/// <param name="InProgressMax">From the delivery; of time in which the device may act (<see cref="InstallTimes"/>).</param>
/// <param name="UndeliveredMax">From the first offer of the attempt, also of one that went back and was made again.</param>
[GenerateSerializer, Immutable, Alias("muster.change-timers")]
public sealed record ChangeTimers([property: Id(0)] TimeSpan InProgressMax, [property: Id(1)] TimeSpan UndeliveredMax)
{
    /// <summary>Why a change ended that the device never named.</summary>
    public const string OfferUndelivered = "OFFER_UNDELIVERED";

    /// <summary>Why a change ended that the device had and did not finish.</summary>
    public const string ChangeTimedOut = "CHANGE_TIMED_OUT";

    [Id(2)] public TimeoutPolicy InProgressPolicy { get; init; }

    [Id(3)] public TimeoutPolicy UndeliveredPolicy { get; init; }

    /// <summary>
    /// When a device may begin to install; none for always. While all are shut, the time of one that has not begun is held.
    /// </summary>
    [Id(120)] public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];

    /// <summary>When the timer that runs is over; null when nothing happens then.</summary>
    /// <param name="firstOfferedAt">When the change was offered, the first time in its attempt.</param>
    /// <param name="deliveredAt">When the device named it; null before.</param>
    /// <param name="installsSince">When it began to install, of a change with install windows; null before.</param>
    public DateTimeOffset? DeadlineOf(DateTimeOffset firstOfferedAt, DateTimeOffset? deliveredAt, DateTimeOffset? installsSince = null) =>
        (deliveredAt, this) switch
        {
            (null, { UndeliveredPolicy: TimeoutPolicy.Wait }) or (not null, { InProgressPolicy: TimeoutPolicy.Wait }) => null,
            (null, _) => firstOfferedAt + UndeliveredMax,
            ({ } at, _) => InstallTimes.End(InstallWindows, at, InProgressMax, installsSince),
        };

    /// <summary>Whether the timer that runs is over.</summary>
    public bool IsOver(DateTimeOffset firstOfferedAt, DateTimeOffset? deliveredAt, DateTimeOffset? installsSince, DateTimeOffset now) =>
        PolicyOf(deliveredAt) != TimeoutPolicy.Wait
        && (deliveredAt is { } at ? HadAllTime(at, installsSince, now) : firstOfferedAt + UndeliveredMax <= now);

    /// <summary>The policy of the timer that runs.</summary>
    public TimeoutPolicy PolicyOf(DateTimeOffset? deliveredAt) => deliveredAt is null ? UndeliveredPolicy : InProgressPolicy;

    /// <summary>
    /// Whether a device in progress that has no session is away, and not only in the reboot of its change: it never named the change, or
    /// had all the time for it. Whatever the policies are: one that waits says what becomes of the change, not who waits beside it.
    /// </summary>
    public bool IsAway(DateTimeOffset? deliveredAt, DateTimeOffset? installsSince, DateTimeOffset now) =>
        deliveredAt is not { } at || HadAllTime(at, installsSince, now);

    /// <summary>
    /// Time is only ever held: while it would not be over without windows they are not looked at, because shares ask this of every device
    /// in progress, each time.
    /// </summary>
    private bool HadAllTime(DateTimeOffset deliveredAt, DateTimeOffset? installsSince, DateTimeOffset now) =>
        now >= deliveredAt + InProgressMax && InstallTimes.End(InstallWindows, deliveredAt, InProgressMax, installsSince) <= now;

    /// <summary>How a change ends whose timer is over.</summary>
    public static ChangeOutcome OutcomeOf(TimeoutPolicy policy) => policy switch
    {
        TimeoutPolicy.Fail => ChangeOutcome.TimedOut,
        TimeoutPolicy.LeaveOut => ChangeOutcome.Skipped,
        _ => throw new UnreachableException($"A timer ends nothing with the policy {policy}."),
    };
}
