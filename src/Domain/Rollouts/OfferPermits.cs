namespace Muster.Domain.Rollouts;

/// <summary>How many more devices may be offered now: budget (rollouts.md 12) and rate (rollouts.md 11).</summary>
public static class OfferPermits
{
    /// <summary>
    /// The most devices that may be offered and without an outcome at a time; at least one, or nothing would ever move.
    /// A percentage is rounded down: a budget is a promise about the rest.
    /// </summary>
    public static long UnavailableMax(Amount? limit, int members) => limit switch
    {
        null => long.MaxValue,
        { Kind: AmountKind.Count, Value: var count } => Math.Max(1, count),
        { Kind: AmountKind.Percent, Value: var percent } => Math.Max(1, (long)members * percent / 100),
        _ => throw new UnreachableException($"Unknown amount {limit}."),
    };

    /// <summary>Devices in progress, and permits whose fate is unknown; the latter may have become offers.</summary>
    public static long Busy(RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Waves.Sum(wave => (long)wave.Totals.InProgress) + Outstanding(plan);
    }

    /// <summary>Permits given whose fate is unknown.</summary>
    public static long Outstanding(RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return plan.Shares.Sum(share => share.Waves.Sum(grant => grant.Outstanding));
    }

    /// <summary>What the rate leaves: never saved up, and an offer counts until 60 s after its commit was known.</summary>
    public static long RateRoom(int devicesPerMinute, RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return devicesPerMinute == 0
            ? long.MaxValue
            : devicesPerMinute - Outstanding(plan) - plan.RecentOffers.Sum(offers => offers.Count);
    }

    /// <summary>Adds offers that are known now and forgets those of more than 60 s ago.</summary>
    public static ImmutableArray<OffersMade> Remember(ImmutableArray<OffersMade> recent, long count, DateTimeOffset now)
    {
        var kept = recent.Where(offers => offers.At + RolloutLimits.RateWindow > now);
        if (count == 0)
        {
            return [.. kept];
        }

        // Rounded up to the second: at most 62 entries, and never too early.
        var second = TimeSpan.TicksPerSecond;
        var at = new DateTimeOffset((now.UtcTicks + second - 1) / second * second, TimeSpan.Zero);
        var last = kept.LastOrDefault();
        return last.Count > 0 && last.At >= at
            ? [.. kept.SkipLast(1), last with { Count = last.Count + count }]
            : [.. kept, new OffersMade(at, count)];
    }
}
