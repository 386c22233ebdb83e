namespace Muster.Domain.Rollouts;

/// <summary>
/// Grants offers to the partitions of the open waves, earlier waves first (on the way back later ones), as far as budget and rate allow.
/// </summary>
internal static class OfferGrants
{
    public static void Add(RolloutSpec spec, Dictionary<int, ShareReport> reports, PlanDraft draft)
    {
        var budget = OfferPermits.UnavailableMax(spec.MaxUnavailable, draft.Plan.FrozenMembers);
        var room = Math.Min(budget - OfferPermits.Busy(draft.Plan), OfferPermits.RateRoom(spec, draft.Plan));
        var isBack = draft.Plan.RollBack is not null;
        for (var i = 0; i < draft.Plan.Waves.Length && room > 0; i++)
        {
            var wave = isBack ? draft.Plan.Waves.Length - 1 - i : i;
            if (draft.Plan.Waves[wave].IsOpen)
            {
                room -= AddToWave(wave, room, reports, draft);
            }
        }
    }

    private static long AddToWave(int wave, long room, Dictionary<int, ShareReport> reports, PlanDraft draft)
    {
        var shares = draft.Plan.Shares;
        var wants = new long[shares.Length];
        for (var i = 0; i < shares.Length; i++)
        {
            // Permits on their way may still become offers to the same members.
            var outstanding = shares[i].Waves[wave].Outstanding;
            var waiting = reports[shares[i].Partition].Waves[wave].Ready;
            wants[i] = Math.Max(0, Math.Min(waiting, RolloutLimits.OffersPerGrantMax) - outstanding);
        }

        // By what was granted, also what lapsed: who could not use a permit does not get the next one, too.
        var given = Split(wants, room, shares.IsEmpty ? 0 : (int)(shares.Sum(share => share.Waves[wave].Granted) % shares.Length));
        var added = given.Sum();
        if (added == 0)
        {
            return 0;
        }

        var next = shares.ToBuilder();
        for (var i = 0; i < next.Count; i++)
        {
            var grant = next[i].Waves[wave];
            next[i] = next[i] with { Waves = next[i].Waves.SetItem(wave, grant with { Granted = grant.Granted + given[i] }) };
        }

        draft.Set(draft.Plan with { Shares = next.ToImmutable() });
        draft.Tell(new OffersGranted(draft.Rollout, wave, added, next.Sum(share => share.Waves[wave].Granted)));
        return added;
    }

    /// <summary>
    /// Evenly, in rounds, from <paramref name="first"/> on, so that a small room does not always go to the same partition.
    /// </summary>
    internal static long[] Split(long[] wants, long room, int first)
    {
        var given = new long[wants.Length];
        while (room > 0)
        {
            var open = Enumerable.Range(0, wants.Length).Count(i => given[i] < wants[i]);
            if (open == 0)
            {
                break;
            }

            var each = Math.Max(1, room / open);
            for (var step = 0; step < wants.Length && room > 0; step++)
            {
                var i = (first + step) % wants.Length;
                var more = Math.Min(Math.Min(each, wants[i] - given[i]), room);
                given[i] += more;
                room -= more;
            }
        }

        return given;
    }
}
