using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>Counts the members of a share.</summary>
public static class ShareCount
{
    /// <summary>The totals by wave. A permit of which nobody knows whether it became an offer is not seen yet.</summary>
    /// <param name="share">The share.</param>
    /// <param name="waves">The wave of each member.</param>
    /// <param name="reach">Whether each can be offered something.</param>
    /// <param name="waveCount">How many waves there are.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    /// <param name="steps">
    /// How many steps are before each member; at those behind its end, which joined since, nobody has looked, and null when at nobody.
    /// </param>
    public static ImmutableArray<ShareTotals> Totals(
        RolloutShare share,
        ImmutableArray<byte> waves,
        IReadOnlyList<MemberReach> reach,
        int waveCount,
        ChangeTimers timers,
        DateTimeOffset now,
        IReadOnlyList<byte>? steps = null)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(reach);
        ArgumentNullException.ThrowIfNull(timers);
        var (counts, waiting, retrying) = CountMembers(share, waves, reach, waveCount, now);
        var (unknown, away) = (new long[waveCount], new int[waveCount]);
        var (installing, awaiting) = (new int[waveCount], new int[waveCount]);
        var since = new SinceTally?[waveCount];
        foreach (var offer in share.Open)
        {
            var wave = waves[offer.Member];
            unknown[wave] += offer.IsConfirmed ? 0 : 1;
            away[wave] += IsAway(share, offer, reach, timers, now) ? 1 : 0;
            installing[wave] += offer.InstallsSince is null ? 0 : 1;
            awaiting[wave] += offer is { DeliveredAt: not null, InstallsSince: null } ? 1 : 0;
            if (SinceTotals.BeganAt(offer, timers) is { } began)
            {
                (since[wave] ??= new SinceTally(timers)).Add(began);
            }
        }

        var (before, under) = StepTotals.Count(share, waves, waveCount, steps);
        return [.. Enumerable.Range(0, waveCount).Select(wave => new ShareTotals
        {
            Members = Enumerable.Range(0, counts.GetLength(1)).Sum(status => counts[wave, status]),
            Waiting = counts[wave, (int)MemberStatus.Waiting],
            WaitingOffline = waiting[wave, (int)MemberWait.Offline],
            WaitingBusy = waiting[wave, (int)MemberWait.Busy],
            Offered = PermitsOf(share, wave).Offered,
            Succeeded = counts[wave, (int)MemberStatus.Succeeded],
            Failed = counts[wave, (int)MemberStatus.Failed],
            TimedOut = counts[wave, (int)MemberStatus.TimedOut],
            Rejected = counts[wave, (int)MemberStatus.Rejected],
            Skipped = counts[wave, (int)MemberStatus.Skipped],
            Removed = counts[wave, (int)MemberStatus.Removed],
            GrantSeen = PermitsOf(share, wave).Seen - unknown[wave],
            Retrying = counts[wave, (int)MemberStatus.Retrying],
            RetryingOnline = retrying[wave, (int)MemberWait.Permit],
            Untouched = counts[wave, (int)MemberStatus.Untouched],
            Skips = Skips(share, waves, wave, counts[wave, (int)MemberStatus.Skipped]),
            InProgressAway = away[wave],
            WaitingGroupFull = waiting[wave, (int)MemberWait.GroupFull],
            RetryingGroupFull = retrying[wave, (int)MemberWait.GroupFull],
            Installing = installing[wave],
            AwaitingInstall = awaiting[wave],
            Steps = before[wave],
            StepsInProgress = under[wave],
            Since = since[wave]?.Totals,
            WentBack = PermitsOf(share, wave).WentBack,
        })];
    }

    /// <summary>By wave: how many have each status, and what those wait for that wait for an offer, and for another attempt.</summary>
    private static (int[,] Counts, int[,] Waiting, int[,] Retrying) CountMembers(
        RolloutShare share, ImmutableArray<byte> waves, IReadOnlyList<MemberReach> reach, int waveCount, DateTimeOffset now)
    {
        var counts = new int[waveCount, 1 + (int)MemberStatus.Untouched];
        var waiting = new int[waveCount, 1 + (int)MemberWait.GroupFull];
        var retrying = new int[waveCount, 1 + (int)MemberWait.GroupFull];
        for (var i = 0; i < share.Members.Length; i++)
        {
            var wait = ShareRules.WaitOf(share, i, reach[i], now);
            counts[waves[i], (int)share.Members[i]]++;
            waiting[waves[i], (int)wait] += share.Members[i] == MemberStatus.Waiting ? 1 : 0;
            retrying[waves[i], (int)wait] += share.Members[i] == MemberStatus.Retrying ? 1 : 0;
        }

        return (counts, waiting, retrying);
    }

    /// <summary>On the way there nobody asks who of those in progress can be reached.</summary>
    private static bool IsAway(
        RolloutShare share, OpenOffer offer, IReadOnlyList<MemberReach> reach, ChangeTimers timers, DateTimeOffset now) =>
        RollBackRules.HasBegun(share)
        && offer.IsConfirmed
        && reach[offer.Member] == MemberReach.Offline
        && timers.IsAway(offer.DeliveredAt, offer.InstallsSince, now);

    private static SkipTotals? Skips(RolloutShare share, ImmutableArray<byte> waves, int wave, int skipped)
    {
        if (skipped == 0)
        {
            return null;
        }

        var counts = new int[MemberReasons.Count];
        foreach (var end in share.Ends.IsDefault ? [] : share.Ends)
        {
            var isCounted = waves[end.Member] == wave && share.Members[end.Member] == MemberStatus.Skipped;
            counts[(int)end.Reason < counts.Length ? (int)end.Reason : 0] += isCounted ? 1 : 0;
        }

        // Those that an earlier version skipped have no reason.
        counts[(int)MemberReason.Other] += skipped - counts.Sum();
        return new([.. counts]);
    }

    private static PermitsUsed PermitsOf(RolloutShare share, int wave) => wave < share.Permits.Length ? share.Permits[wave] : default;
}
