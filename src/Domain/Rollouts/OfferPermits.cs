namespace Muster.Domain.Rollouts;

/// <summary>How many more devices may be offered now: budget (rollouts.md 12) and rate (rollouts.md 11).</summary>
public static class OfferPermits
{
    /// <summary>
    /// The most devices that may be offered and without an outcome at a time; at least one, or nothing would ever move.
    /// A percentage is rounded down: a budget is a promise about the rest. It is of the frozen members: who joins later makes room for
    /// nobody.
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

    /// <summary>
    /// Offers in any 60 s as of this plan: the base rate, grown by what is known to be reached. A permit on its way is not counted, so that
    /// the rate grows late rather than early; and it falls when a device that had succeeded has not any more.
    /// </summary>
    public static int Rate(RolloutSpec spec, RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(plan);
        return spec.RateGrowth switch
        {
            null => spec.DevicesPerMinute,
            { Step: RateStep.Offered } growth => growth.After(
                spec.DevicesPerMinute,
                Math.Max(0, plan.Shares.Sum(share => share.Waves.Sum(grant => grant.Offered)) - (plan.RollBack?.OfferedBefore ?? 0))),
            { Step: RateStep.Succeeded } growth => growth.After(
                spec.DevicesPerMinute, plan.Waves.Sum(wave => (long)wave.Totals.Succeeded)),
            var growth => throw new UnreachableException($"A rate that grows by {growth.Step}."),
        };
    }

    /// <summary>What the rate leaves: never saved up, and an offer counts until 60 s after its commit was known.</summary>
    public static long RateRoom(RolloutSpec spec, RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec.DevicesPerMinute == 0 ? long.MaxValue : Rate(spec, plan) - InWindow(plan);
    }

    /// <summary>The offers of the last 60 s, those included that may still be made.</summary>
    public static long InWindow(RolloutPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return Outstanding(plan) + plan.RecentOffers.Sum(offers => offers.Count);
    }

    /// <summary>
    /// Adds offers that are known now and forgets those of more than 60 s ago. Those that a clock which was set back shows to be in the
    /// future were made by now: they count for a minute more, and do not stop the rollout until the clock is there again.
    /// </summary>
    public static ImmutableArray<OffersMade> Remember(ImmutableArray<OffersMade> recent, long count, DateTimeOffset now)
    {
        // Rounded up to the second: at most 62 entries, and never too early.
        var second = TimeSpan.TicksPerSecond;
        var at = new DateTimeOffset((now.UtcTicks + second - 1) / second * second, TimeSpan.Zero);
        var kept = recent.RemoveAll(offers => offers.At >= at || offers.At + RolloutLimits.RateWindow <= now);
        var newest = recent.Sum(offers => offers.At >= at ? offers.Count : 0) + count;
        return newest == 0 ? kept : kept.Add(new OffersMade(at, newest));
    }
}
