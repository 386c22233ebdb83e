using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Until when a permit is offered of which nobody knows what became of it, and until when it is kept. Any offer that was not answered may
/// have been taken: its device acts on it, and only the feed will say so. So the last is made before the permit's time is over, and the
/// permit is free once that one would be in the feed.
/// </summary>
public static class OfferAsks
{
    /// <summary>
    /// So long behind its time a permit is kept whose device says nothing: four times as long as a device may take to commit an offer whose
    /// caller has stopped listening, which leaves the rest for the tail of the feed. Also more than one question is lost in a minute by a
    /// record that cannot be read, and by no silo that is restarted.
    /// </summary>
    public static readonly TimeSpan SilenceMax = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the device is asked to take the offer, and not only what became of it: nobody knows, and it would not be over at once.
    /// </summary>
    /// <param name="offer">The permit.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    public static bool MayOffer(OpenOffer offer, ChangeTimers timers, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(timers);
        return !offer.IsConfirmed && !IsOver(offer, timers, now);
    }

    /// <summary>The permit's time is over: what became of it is asked.</summary>
    /// <param name="offer">The permit.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    public static bool IsOver(OpenOffer offer, ChangeTimers timers, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(timers);
        return timers.IsOver(offer.Since, offer.DeliveredAt, offer.InstallsSince, now);
    }
}
