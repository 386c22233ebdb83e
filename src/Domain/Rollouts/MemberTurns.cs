using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Since when a member is waited for (rollouts.md 9). The first offer of an attempt is its turn: before it had one, it may have waited for
/// rate, budget, a window or another change. An offer that goes back and is made again has no later end than the first.
/// </summary>
public static class MemberTurns
{
    /// <summary>When the member's turn began, from which it is waited for; null while its wave, or its back-off, is before it.</summary>
    /// <param name="share">The share.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="waveOpenedAt">When its wave opened; null before.</param>
    /// <param name="now">The time.</param>
    public static DateTimeOffset? TurnOf(RolloutShare share, int member, DateTimeOffset? waveOpenedAt, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        var turn = share.Members[member] == MemberStatus.Retrying && MemberList.Find(share.Retries, member) is { DueAt: var due }
            && due > default(DateTimeOffset) // a silo of an earlier version did not know when the back-off of an adopted attempt ended
                ? due
                : waveOpenedAt;
        turn = MemberList.Find(share.Steps, member) is { At: var at } && at > turn ? at : turn;
        turn = FirstOfferOf(share, member) is { } first && first > turn ? first : turn;
        return turn <= now ? turn : null;
    }

    /// <summary>
    /// The time of a member without an offer is over: it cannot be reached since its turn, or an offer of it went back, and it was not
    /// reached with another one, whatever it waits for.
    /// </summary>
    /// <param name="share">The share.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="reach">Whether it can be offered something.</param>
    /// <param name="waveOpenedAt">When its wave opened; null before.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    public static bool IsOver(
        RolloutShare share, int member, MemberReach reach, DateTimeOffset? waveOpenedAt, ChangeTimers timers, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(timers);
        return RunsOut(share, member, ShareRules.WaitOf(share, member, reach, now))
            && TurnOf(share, member, waveOpenedAt, now) is { } turn
            && timers.DeadlineOf(turn, deliveredAt: null) <= now;
    }

    /// <summary>Whether the time of a member that waits so runs out: what it waits for is the device's to do, or was once.</summary>
    internal static bool RunsOut(RolloutShare share, int member, MemberWait wait) => wait switch
    {
        MemberWait.None or MemberWait.Backoff => false,
        MemberWait.Offline => true,
        _ => FirstOfferOf(share, member) is not null,
    };

    /// <summary>When the attempt that the member is at was offered first, if that offer went back and no step was taken since.</summary>
    public static DateTimeOffset? FirstOfferOf(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return MemberList.Find(share.Turns, member) is { } turn
            && turn.Retry == ShareRules.RetryOf(share, member)
                ? turn.At
                : null;
    }

    /// <summary>The attempt ended, or an offer of it, which was the member's permit.</summary>
    /// <param name="share">The share, with the permit.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="permit">What it had a permit for; null for none.</param>
    /// <param name="end">How it ended.</param>
    internal static RolloutShare Take(RolloutShare share, int member, OpenOffer? permit, MemberOutcome end) => end switch
    {
        { Outcome: ChangeOutcome.Withdrawn, WasMade: true } when FirstOfferOf(share, member) is null =>
            share with { Turns = MemberList.With(share.Turns, new MemberTurn(member, end.Retry, Earlier(permit?.Since, end.At))) },
        { Outcome: ChangeOutcome.Withdrawn } => share,
        _ => share with { Turns = MemberList.Without(share.Turns, member) },
    };

    /// <summary>A step that is read late: what the member waits for behind it has a turn of its own.</summary>
    internal static RolloutShare TakeLate(RolloutShare share, int member, MemberOutcome end) =>
        end.Outcome == ChangeOutcome.StepTaken && MemberList.Find(share.Turns, member) is { } turn && turn.At <= end.At
            ? share with { Turns = MemberList.Without(share.Turns, member) }
            : share;

    /// <summary>What the permit is for may be another offer than the one that ended; that was made before its end.</summary>
    private static DateTimeOffset Earlier(DateTimeOffset? since, DateTimeOffset endedAt) => since is { } at && at < endedAt ? at : endedAt;
}
