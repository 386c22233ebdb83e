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
    /// Takes the permits that it has not seen, in the order of the members, for those that can use one now (<see cref="WaitOf"/>); the
    /// others lapse: permits are never saved up. A grant twice, late or from a dead coordinator changes nothing.
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
            if (left[waves[i]] > 0 && WaitOf(share, i, reach[i], grant.Now) == MemberWait.Permit)
            {
                left[waves[i]]--;
                members[i] = MemberStatus.Offered;
                open.Add(new OpenOffer(i, grant.Epoch, IsConfirmed: false, grant.Now, null)
                {
                    FirstOfferedAt = MemberTurns.FirstOfferOf(share, i),
                });
            }
        }

        return share with { Permits = permits.ToImmutable(), Members = members.ToImmutable(), Open = open.ToImmutable() };
    }

    /// <summary>What the member waits for before it can use a permit.</summary>
    public static MemberWait WaitOf(RolloutShare share, int member, MemberReach reach, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        var status = share.Members[member];
        return status switch
        {
            not (MemberStatus.Waiting or MemberStatus.Retrying) => MemberWait.None,
            MemberStatus.Retrying when MemberList.Find(share.Retries, member) is { } retry && now < retry.DueAt => MemberWait.Backoff,
            _ => reach switch
            {
                MemberReach.Online => MemberWait.Permit,
                MemberReach.Offline => MemberWait.Offline,
                MemberReach.Busy => MemberWait.Busy,
                MemberReach.GroupFull => MemberWait.GroupFull,
                _ => throw new UnreachableException($"A member's reach is {reach}."),
            },
        };
    }

    /// <summary>The attempt that the member is in or waits for, or that was its last: how many ended before it.</summary>
    public static int RetryOf(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return MemberList.Find(share.Retries, member)?.Retry ?? share.FirstRetry;
    }

    /// <summary>All that the share keeps of one member beside its status.</summary>
    public static (MemberRetry? Retry, OpenOffer? Offer, MemberEnd? End) Find(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        var at = IndexOf(share, member);
        return (MemberList.Find(share.Retries, member), at < 0 ? null : share.Open[at], MemberList.Find(share.Ends, member));
    }

    /// <summary>
    /// What the device itself answers is so, also when it speaks of another attempt than the share knows of: one of the two went back with
    /// its store.
    /// </summary>
    public static RolloutShare Adopt(RolloutShare share, int member, int retry)
    {
        ArgumentNullException.ThrowIfNull(share);
        return Adopt(share, member, retry, at: default);
    }

    /// <summary>
    /// Its back-off is over, and nobody knows since when: it is waited for from its permit on or, without one, from this time.
    /// </summary>
    private static RolloutShare Adopt(RolloutShare share, int member, int retry, DateTimeOffset at)
    {
        var known = MemberList.Find(share.Retries, member);
        if (retry == (known?.Retry ?? share.FirstRetry))
        {
            return share;
        }

        if (retry == share.FirstRetry)
        {
            return share with { Retries = MemberList.Without(share.Retries, member) };
        }

        var permit = IndexOf(share, member);
        var began = permit < 0 ? at : share.Open[permit].Since;
        return share with
        {
            Retries = MemberList.With(
                share.Retries, new MemberRetry(member, retry, known is { DueAt: var due } && due > began ? due : began)),
        };
    }

    /// <summary>
    /// The device's change is committed; also one that was given up (<see cref="Lose"/>). A fact of an attempt that has ended is late.
    /// </summary>
    public static RolloutShare Confirm(RolloutShare before, int member, byte wave, OpenOffer offered, int retry)
    {
        ArgumentNullException.ThrowIfNull(before);
        var current = before.Members[member] == MemberStatus.Untouched ? 0 : RetryOf(before, member);
        var at = IndexOf(before, member);
        if (retry < current
            || (retry == current && !MayConfirm(before, member))
            || OfferGenerations.IsLateOffer(before, member, at < 0 ? null : before.Open[at], offered.Generation))
        {
            return before;
        }

        var adopted = Adopt(before, member, retry, offered.Since); // neither this nor catching up touches permits
        var share = OfferGenerations.CatchUp(adopted, member, offered.Generation);
        var known = at < 0 ? offered : share.Open[at];
        var next = OfferGenerations.Merge(known, offered);
        if (at >= 0 && next == known && share.Members[member] == MemberStatus.Offered)
        {
            // The device has said so itself, and now its fact does.
            var ends = MemberList.Without(share.Ends, member);
            return ends == share.Ends ? share : share with { Ends = ends };
        }

        return (at >= 0 && known.IsConfirmed ? share : Count(share, wave)) with
        {
            Members = share.Members[member] == MemberStatus.Offered
                ? share.Members
                : share.Members.SetItem(member, MemberStatus.Offered),
            Open = at < 0 ? share.Open.Add(next) : share.Open.SetItem(at, next),
            Ends = MemberList.Without(share.Ends, member),
        };
    }

    /// <summary>Nobody knows whether the permit became an offer, and the time for it is over.</summary>
    public static RolloutShare Lose(RolloutShare share, int member, TimeoutPolicy policy, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] == MemberStatus.Offered ? GiveUp(share, member, policy, now) : share;
    }

    /// <summary>The member was not reached in the time it had: it is not waited for any longer, and not tried again.</summary>
    public static RolloutShare GiveUp(RolloutShare share, int member, TimeoutPolicy policy, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        var status = ChangeTimers.OutcomeOf(policy) == ChangeOutcome.Skipped ? MemberStatus.Skipped : MemberStatus.TimedOut;
        return Set(share, member, status) with
        {
            Ends = MemberList.With(share.Ends, new MemberEnd(member, MemberReason.OfferUndelivered, now, IsGivenUp: true)),
        };
    }

    /// <summary>The permit is not needed: the member waits again.</summary>
    public static RolloutShare Release(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] != MemberStatus.Offered ? share
            : RollBackRules.IsOnTheWayThere(share, member) ? RollBackRules.TurnBack(share, member, wasMade: false)
            : Set(share, member, WaitingAs(share, member));
    }

    /// <summary>
    /// An attempt of the member ended, or otherwise than was told before; an offer withdrawn lets it wait again. A fact of an attempt
    /// before the one that the member is at, or of an earlier offer of it, is late: what followed from it did so already.
    /// </summary>
    public static RolloutShare Close(RolloutShare before, int member, byte wave, MemberOutcome end)
    {
        ArgumentNullException.ThrowIfNull(before);
        var at = IndexOf(before, member);
        if (before.Members[member] == MemberStatus.Removed)
        {
            return OfferGenerations.CatchUp(before, member, end.Generation); // also a success that is taken back after its return
        }

        if (end.Retry < RetryOf(before, member) || OfferGenerations.IsLateEnd(before, member, at < 0 ? null : before.Open[at], end))
        {
            return OfferGenerations.CatchUp(
                MemberSteps.TakeLate(MemberTurns.TakeLate(before, member, end), member, end), member, end.Generation);
        }

        var share = OfferGenerations.CatchUp(Adopt(before, member, end.Retry, end.At), member, end.Generation); // neither touches permits
        share = MemberTurns.Take(share, member, at < 0 ? null : share.Open[at], end);
        var isOnTheWayThere = RollBackRules.IsOnTheWayThere(share, member);
        var wasOffered = WasOffered(end)
            || (isOnTheWayThere && end is { WasMade: true, IsRepeated: false }); // the fact of its offer will be late then
        var counted = at >= 0 && !share.Open[at].IsConfirmed && wasOffered ? Count(share, wave) : share;
        counted = WentBack(share, at, wasOffered, end) ? CountBack(counted, wave) : counted;
        if (isOnTheWayThere)
        {
            return RollBackRules.Close(counted, member, end);
        }

        if (end.RetryAt is { } dueAt)
        {
            return Set(counted, member, MemberStatus.Retrying) with
            {
                Retries = MemberList.With(counted.Retries, new MemberRetry(member, end.Retry + 1, dueAt)),
                Ends = MemberList.Without(counted.Ends, member),
            };
        }

        counted = MemberSteps.Take(counted, member, end);
        var next = Set(counted, member, StatusOf(counted, member, end.Outcome));
        return OfferGenerations.PassWaiting(next, member, end) with
        {
            Ends = end.Outcome == ChangeOutcome.Skipped
                ? MemberList.With(next.Ends, new MemberEnd(member, MemberReasons.Parse(end.Reason), end.At, IsGivenUp: false))
                : MemberList.Without(next.Ends, member),
        };
    }

    /// <summary>
    /// Said of an offer of which nothing was known. One that was withdrawn is counted when its own fact is read: it may be made again.
    /// Where its generation is known, that fact will be late. The end of an offer that was known to be over says nothing of the permit.
    /// </summary>
    private static bool WasOffered(MemberOutcome end) => !end.IsRepeated && end.Outcome switch
    {
        ChangeOutcome.Succeeded or ChangeOutcome.Failed or ChangeOutcome.TimedOut or ChangeOutcome.Rejected
            or ChangeOutcome.StepTaken => true,
        ChangeOutcome.Skipped or ChangeOutcome.Removed => end.WasMade,
        ChangeOutcome.Withdrawn => end is { WasMade: true, Generation: > 0 },
        _ => throw new UnreachableException($"A change closed with the outcome {end.Outcome}."),
    };

    /// <summary>
    /// An offer that is counted, or is now, ended so that nothing came of it. The place of a device that is asked once more what became of
    /// its change has no epoch, and is none.
    /// </summary>
    private static bool WentBack(RolloutShare share, int at, bool wasOffered, MemberOutcome end) =>
        at >= 0
        && !end.IsRepeated
        && end is { Outcome: ChangeOutcome.Withdrawn }
            or { Outcome: ChangeOutcome.Skipped, Reason: DeviceChanges.Superseded or DeviceChanges.StepRevoked, WasMade: true }
        && (share.Open[at] is { IsConfirmed: true, Epoch: > 0 } || wasOffered);

    private static MemberStatus StatusOf(RolloutShare share, int member, ChangeOutcome outcome) => outcome switch
    {
        ChangeOutcome.Succeeded => MemberStatus.Succeeded,
        ChangeOutcome.Failed => MemberStatus.Failed,
        ChangeOutcome.TimedOut => MemberStatus.TimedOut,
        ChangeOutcome.Rejected => MemberStatus.Rejected,
        ChangeOutcome.Skipped => MemberStatus.Skipped,
        ChangeOutcome.Removed => MemberStatus.Removed,
        ChangeOutcome.Withdrawn or ChangeOutcome.StepTaken => WaitingAs(share, member),
        _ => throw new UnreachableException($"A change closed with the outcome {outcome}."),
    };

    /// <summary>The feed cannot tell what happened until <paramref name="position"/>: who has a permit is asked.</summary>
    public static RolloutShare Miss(RolloutShare share, long position, ulong fingerprint)
    {
        ArgumentNullException.ThrowIfNull(share);
        return OfferGenerations.ForgetAll(share) with
        {
            Position = position,
            PositionFingerprint = fingerprint,
            HasMissed = true,
            Misses = share.Misses + 1,
        };
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

    /// <summary>
    /// The device left service: the member leaves the rollout for good, also behind its outcome, and is in neither side of a gate any more
    /// (rollouts.md 6). One with a permit leaves it by what its device says of the offer, so that the permit is counted.
    /// </summary>
    public static RolloutShare Leave(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.Members[member] is MemberStatus.Offered or MemberStatus.Removed ? share : Set(share, member, MemberStatus.Removed) with
        {
            Ends = MemberList.Without(share.Ends, member),
            Turns = MemberList.Without(share.Turns, member),
        };
    }

    /// <summary>
    /// A member without a permit and without an outcome: it has failed already, or not. One that took a step in its attempt is in it.
    /// </summary>
    private static MemberStatus WaitingAs(RolloutShare share, int member)
    {
        var retry = RetryOf(share, member);
        return retry > share.FirstRetry && MemberList.Find(share.Steps, member)?.Retry != retry
            ? MemberStatus.Retrying
            : MemberStatus.Waiting;
    }

    /// <summary>Its attempt is not known to have ended by a fact of its device.</summary>
    private static bool MayConfirm(RolloutShare share, int member) => share.Members[member] switch
    {
        MemberStatus.Waiting or MemberStatus.Retrying or MemberStatus.Offered or MemberStatus.Untouched => true,

        // One that ended by its device's word was counted then; its offer is read late.
        _ => MemberList.Find(share.Ends, member) is { IsGivenUp: true },
    };

    private static RolloutShare Count(RolloutShare share, byte wave)
    {
        var permits = Fill(share.Permits, wave + 1);
        return share with { Permits = permits.SetItem(wave, permits[wave] with { Offered = permits[wave].Offered + 1 }) };
    }

    private static RolloutShare CountBack(RolloutShare share, byte wave)
    {
        var permits = Fill(share.Permits, wave + 1);
        return share with { Permits = permits.SetItem(wave, permits[wave] with { WentBack = permits[wave].WentBack + 1 }) };
    }

    internal static RolloutShare Set(RolloutShare share, int member, MemberStatus status)
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
