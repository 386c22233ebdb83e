using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>When time alone changes something about the members of a share.</summary>
public static class ShareClock
{
    /// <summary>
    /// The earliest end of a back-off, of the time for a member that is not reached, or of an offer's; null when only events can change
    /// something. Never later than it is so; it may be earlier, when looking shows that nothing has changed.
    /// </summary>
    /// <param name="share">The share.</param>
    /// <param name="waves">The wave of each member.</param>
    /// <param name="reach">Whether each can be offered something.</param>
    /// <param name="openedAt">When each wave opened, null before.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    public static DateTimeOffset? NextAt(
        RolloutShare share,
        ImmutableArray<byte> waves,
        IReadOnlyList<MemberReach> reach,
        ImmutableArray<DateTimeOffset?> openedAt,
        ChangeTimers timers,
        DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(reach);
        ArgumentNullException.ThrowIfNull(timers);
        DateTimeOffset? next = null;
        for (var i = 0; i < share.Members.Length; i++)
        {
            next = Earlier(next, ShareRules.WaitOf(share, i, reach[i], now) switch
            {
                MemberWait.None => null,
                MemberWait.Backoff => MemberList.Find(share.Retries, i)?.DueAt,

                // A turn that begins later, by the clock of another silo, is reckoned with as if it had begun.
                var wait when MemberTurns.RunsOut(share, i, wait)
                    && MemberTurns.TurnOf(share, i, openedAt[waves[i]], DateTimeOffset.MaxValue) is { } turn =>
                        timers.DeadlineOf(turn, deliveredAt: null),
                _ => null,
            });
        }

        foreach (var offer in share.Open)
        {
            next = Earlier(next, DeadlineOf(offer, timers, now));
        }

        return next;
    }

    /// <summary>The earlier one of two times that may not come.</summary>
    public static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one < other || other is null ? one : other;

    /// <summary>Time is only ever held: windows are not looked at before the time would be over without them.</summary>
    private static DateTimeOffset? DeadlineOf(OpenOffer offer, ChangeTimers timers, DateTimeOffset now) =>
        offer.DeliveredAt is { } deliveredAt
        && timers.PolicyOf(deliveredAt) != TimeoutPolicy.Wait
        && deliveredAt + timers.InProgressMax is var least
        && least > now
            ? least
            : timers.DeadlineOf(offer.Since, offer.DeliveredAt, offer.InstallsSince);
}
