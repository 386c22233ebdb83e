using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What a coordinator tells a share about permits.</summary>
/// <param name="Granted">Cumulative, by wave.</param>
/// <param name="Epoch">The epoch of the plan.</param>
/// <param name="IsOffering">False while nothing may be offered: then new permits lapse.</param>
/// <param name="Now">The time of the decision.</param>
public readonly record struct PermitGrant(ImmutableArray<long> Granted, long Epoch, bool IsOffering, DateTimeOffset Now);

/// <summary>How a share's members move: by permits, by the answers of devices and by the facts of the feed.</summary>
public static class ShareRules
{
    /// <summary>More entries than a partition ever has, and 32,767 misses above them.</summary>
    private const int PositionBits = 48;

    /// <summary>A share of which nothing has been offered.</summary>
    public static RolloutShare Freeze(Guid freeze, long position, int members) => new()
    {
        Freeze = freeze,
        Position = position,
        Members = [.. Enumerable.Repeat(MemberStatus.Waiting, members)],
    };

    /// <summary>
    /// Takes the permits that it has not seen, in the order of the members, for those that are online; the others lapse:
    /// permits are never saved up. A grant twice, late or from a dead coordinator changes nothing.
    /// </summary>
    public static RolloutShare TakePermits(
        RolloutShare share, PermitGrant grant, ImmutableArray<byte> waves, IReadOnlyList<MemberReach> reach)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(reach);
        var permits = Fill(share.Permits, grant.Granted.Length).ToBuilder();
        var left = new long[permits.Count];
        for (var wave = 0; wave < left.Length; wave++)
        {
            var more = Math.Max(0, grant.Granted[wave] - permits[wave].Seen);
            left[wave] = grant.IsOffering ? Math.Min(more, RolloutLimits.OffersPerGrantMax) : 0;
            permits[wave] = permits[wave] with { Seen = permits[wave].Seen + more };
        }

        var members = share.Members.ToBuilder();
        var open = share.Open.ToBuilder();
        for (var i = 0; i < members.Count && left.Any(count => count > 0); i++)
        {
            if (members[i] == MemberStatus.Waiting && reach[i] == MemberReach.Online && left[waves[i]] > 0)
            {
                left[waves[i]]--;
                members[i] = MemberStatus.Offered;
                open.Add(new OpenOffer(i, grant.Epoch, IsConfirmed: false, grant.Now, null));
            }
        }

        return share with { Permits = permits.ToImmutable(), Members = members.ToImmutable(), Open = open.ToImmutable() };
    }

    /// <summary>The device's change is committed; also one that was given up (<see cref="Lose"/>).</summary>
    public static RolloutShare Confirm(RolloutShare share, int member, byte wave, OpenOffer offered)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (share.Members[member] is not (MemberStatus.Waiting or MemberStatus.Offered or MemberStatus.TimedOut))
        {
            return share;
        }

        var at = IndexOf(share, member);
        var known = at < 0 ? offered : share.Open[at];
        var next = known with { IsConfirmed = true, DeliveredAt = known.DeliveredAt ?? offered.DeliveredAt };
        return (at >= 0 && known.IsConfirmed ? share : Count(share, wave)) with
        {
            Members = share.Members.SetItem(member, MemberStatus.Offered),
            Open = at < 0 ? share.Open.Add(next) : share.Open.SetItem(at, next),
        };
    }

    /// <summary>Nobody knows whether the permit became an offer, and the time for it is over: the member has timed out.</summary>
    public static RolloutShare Lose(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] == MemberStatus.Offered ? Set(share, member, MemberStatus.TimedOut) : share;
    }

    /// <summary>The permit is not needed: the member waits again.</summary>
    public static RolloutShare Release(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] == MemberStatus.Offered ? Set(share, member, MemberStatus.Waiting) : share;
    }

    /// <summary>The member has an outcome, or another one than before; an offer withdrawn lets it wait again.</summary>
    public static RolloutShare Close(RolloutShare share, int member, byte wave, ChangeOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(share);
        var at = IndexOf(share, member);
        var wasOffered = outcome is ChangeOutcome.Succeeded or ChangeOutcome.Failed or ChangeOutcome.TimedOut or ChangeOutcome.Rejected;
        var counted = wasOffered && at >= 0 && !share.Open[at].IsConfirmed ? Count(share, wave) : share;
        return Set(counted, member, outcome switch
        {
            ChangeOutcome.Succeeded => MemberStatus.Succeeded,
            ChangeOutcome.Failed => MemberStatus.Failed,
            ChangeOutcome.TimedOut => MemberStatus.TimedOut,
            ChangeOutcome.Rejected => MemberStatus.Rejected,
            ChangeOutcome.Skipped => MemberStatus.Skipped,
            ChangeOutcome.Removed => MemberStatus.Removed,
            ChangeOutcome.Withdrawn => MemberStatus.Waiting,
            _ => throw new UnreachableException($"A change closed with the outcome {outcome}."),
        });
    }

    /// <summary>The feed cannot tell what happened until <paramref name="position"/>: who has a permit is asked.</summary>
    public static RolloutShare Miss(RolloutShare share, long position, ulong fingerprint)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share with { Position = position, PositionFingerprint = fingerprint, HasMissed = true, Misses = share.Misses + 1 };
    }

    /// <summary>
    /// The version of the share's report: its place in the feed, above which stands how often the feed was missed. A feed that went
    /// back, or is another since the share was restored, has lower places, and its reports are newer all the same.
    /// </summary>
    public static long ReportVersionOf(RolloutShare share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return ((long)share.Misses << PositionBits) | share.Position;
    }

    /// <summary>
    /// A share that went back with its store, or was restored from before, has forgotten permits that its coordinator knows to be
    /// used: what became of them is unknown, so they lapse and are not used again.
    /// </summary>
    /// <param name="seen">By wave, as the plan has it; never above the share's own in a store that kept everything.</param>
    public static RolloutShare Forgo(RolloutShare share, ImmutableArray<long> seen)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (seen.IsDefaultOrEmpty)
        {
            return share;
        }

        var permits = Fill(share.Permits, seen.Length);
        ImmutableArray<PermitsUsed> raised =
            [.. permits.Select((used, wave) => used with { Seen = Math.Max(used.Seen, wave < seen.Length ? seen[wave] : 0) })];
        return raised.SequenceEqual(permits) ? share : share with { Permits = raised };
    }

    /// <summary>The device left service: a member that waits leaves the rollout.</summary>
    public static RolloutShare Leave(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] == MemberStatus.Waiting ? Set(share, member, MemberStatus.Removed) : share;
    }

    /// <summary>The totals by wave. A permit of which nobody knows whether it became an offer is not seen yet.</summary>
    public static ImmutableArray<ShareTotals> Totals(
        RolloutShare share, int waveCount, ImmutableArray<byte> waves, IReadOnlyList<MemberReach> reach)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(reach);
        var counts = new int[waveCount, 1 + (int)MemberStatus.Removed];
        var unreachable = new int[waveCount, 1 + (int)MemberReach.Busy];
        for (var i = 0; i < share.Members.Length; i++)
        {
            counts[waves[i], (int)share.Members[i]]++;
            unreachable[waves[i], (int)reach[i]] += share.Members[i] == MemberStatus.Waiting ? 1 : 0;
        }

        var unknown = new long[waveCount];
        foreach (var offer in share.Open)
        {
            unknown[waves[offer.Member]] += offer.IsConfirmed ? 0 : 1;
        }

        var permits = Fill(share.Permits, waveCount);
        return [.. Enumerable.Range(0, waveCount).Select(wave => new ShareTotals
        {
            Members = Enumerable.Range(0, counts.GetLength(1)).Sum(status => counts[wave, status]),
            Waiting = counts[wave, (int)MemberStatus.Waiting],
            WaitingOffline = unreachable[wave, (int)MemberReach.Offline],
            WaitingBusy = unreachable[wave, (int)MemberReach.Busy],
            Offered = permits[wave].Offered,
            Succeeded = counts[wave, (int)MemberStatus.Succeeded],
            Failed = counts[wave, (int)MemberStatus.Failed],
            TimedOut = counts[wave, (int)MemberStatus.TimedOut],
            Rejected = counts[wave, (int)MemberStatus.Rejected],
            Skipped = counts[wave, (int)MemberStatus.Skipped],
            Removed = counts[wave, (int)MemberStatus.Removed],
            GrantSeen = permits[wave].Seen - unknown[wave],
        })];
    }

    private static RolloutShare Count(RolloutShare share, byte wave)
    {
        var permits = Fill(share.Permits, wave + 1);
        return share with { Permits = permits.SetItem(wave, permits[wave] with { Offered = permits[wave].Offered + 1 }) };
    }

    private static RolloutShare Set(RolloutShare share, int member, MemberStatus status)
    {
        var at = IndexOf(share, member);
        return share with
        {
            Members = share.Members.SetItem(member, status),
            Open = at < 0 ? share.Open : share.Open.RemoveAt(at),
        };
    }

    private static int IndexOf(RolloutShare share, int member)
    {
        for (var i = 0; i < share.Open.Length; i++)
        {
            if (share.Open[i].Member == member)
            {
                return i;
            }
        }

        return -1;
    }

    private static ImmutableArray<PermitsUsed> Fill(ImmutableArray<PermitsUsed> permits, int count) =>
        permits.Length >= count ? permits : permits.AddRange(Enumerable.Repeat(default(PermitsUsed), count - permits.Length));
}
