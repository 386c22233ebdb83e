using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// A share of a rollout that is rolled back. Its members begin anew: who was offered the change waits for the way back, the others are out
/// of it, and who is still on the way there comes to its end first. From then on <see cref="ShareRules"/> hold as before.
/// </summary>
public static class RollBackRules
{
    /// <summary>The share was told that its rollout is rolled back.</summary>
    public static bool HasBegun(RolloutShare share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return share.FirstRetry == WayBack.FirstRetry;
    }

    /// <summary>
    /// Begins; again it changes nothing. Permits of the way there that were on their way lapse: a wave that they are of may not have its
    /// turn yet.
    /// </summary>
    /// <param name="share">The share.</param>
    /// <param name="granted">Permits given by wave, all of the way there: others are given when every share has turned.</param>
    /// <param name="now">The time of the turn.</param>
    public static RolloutShare Begin(RolloutShare share, ImmutableArray<long> granted, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (HasBegun(share))
        {
            return share;
        }

        var members = share.Members.ToBuilder();
        var retries = ImmutableArray.CreateBuilder<MemberRetry>();
        var open = share.Open.ToBuilder();
        var ends = ImmutableArray.CreateBuilder<MemberEnd>();
        for (var i = 0; i < members.Count; i++)
        {
            switch (share.Members[i])
            {
                case MemberStatus.Offered:
                    retries.Add(new MemberRetry(i, ShareRules.RetryOf(share, i), default));
                    break;
                case MemberStatus.TimedOut or MemberStatus.Skipped when MemberList.Find(share.Ends, i) is { IsGivenUp: true } end:
                    // The device never said what became of its offer, if there was one: it is asked once more, and given up once more
                    // when it does not say (MayLose). Its permit was seen and is over, so that nothing is counted.
                    ends.Add(end);
                    members[i] = MemberStatus.Offered;
                    retries.Add(new MemberRetry(i, ShareRules.RetryOf(share, i), default));
                    open.Add(new OpenOffer(i, 0, IsConfirmed: true, now, null));
                    break;
                case MemberStatus.Removed:
                    break;
                default:
                    members[i] = WasTouched(share, i) ? MemberStatus.Waiting : MemberStatus.Untouched;
                    break;
            }
        }

        return ShareRules.Forgo(share, granted) with
        {
            FirstRetry = WayBack.FirstRetry,
            Members = members.ToImmutable(),
            Retries = retries.ToImmutable(),
            Open = open.ToImmutable(),
            Ends = ends.ToImmutable(),
            Turns = [],
        };
    }

    /// <summary>
    /// Whether a permit of which its device does not say what became of it is over: a while after its time
    /// (<see cref="OfferAsks.SilenceMax"/>), unless it is known to be an offer. On the way there then too, or the way back would wait for a
    /// record that nobody can read; who had been given up before it is asked for as long as a change may take.
    /// </summary>
    /// <param name="share">The share.</param>
    /// <param name="offer">The permit.</param>
    /// <param name="timers">The rollout's.</param>
    /// <param name="now">The time.</param>
    public static bool MayLose(RolloutShare share, OpenOffer offer, ChangeTimers timers, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(timers);
        var isOnTheWayThere = IsOnTheWayThere(share, offer.Member);
        return OfferAsks.IsOver(offer, timers, now - OfferAsks.SilenceMax)
            ? isOnTheWayThere || !offer.IsConfirmed
            : isOnTheWayThere
                && MemberList.Find(share.Ends, offer.Member) is { IsGivenUp: true }
                && timers.IsAway(offer.TakenAt, installsSince: null, now);
    }

    /// <summary>The member has an offer of the way there, although the rollout is rolled back.</summary>
    public static bool IsOnTheWayThere(RolloutShare share, int member)
    {
        ArgumentNullException.ThrowIfNull(share);
        return ShareRules.RetryOf(share, member) < share.FirstRetry;
    }

    /// <summary>The way there ended for the member, however it did: now it waits for the way back.</summary>
    internal static RolloutShare Close(RolloutShare share, int member, MemberOutcome end) => end.Outcome == ChangeOutcome.Removed
        ? Forget(ShareRules.Set(share, member, MemberStatus.Removed), member)
        : TurnBack(share, member, WasMade(end));

    /// <summary>The member's attempt of the way there is over; when it was never offered anything, the way back is not for it.</summary>
    internal static RolloutShare TurnBack(RolloutShare share, int member, bool wasMade)
    {
        var isTouched = wasMade || ShareRules.RetryOf(share, member) > 0 || HasStepped(share, member);
        return Forget(ShareRules.Set(share, member, isTouched ? MemberStatus.Waiting : MemberStatus.Untouched), member);
    }

    private static bool WasMade(MemberOutcome end) =>
        end.WasMade || end.Outcome is not (ChangeOutcome.Skipped or ChangeOutcome.Withdrawn);

    private static RolloutShare Forget(RolloutShare share, int member) => share with
    {
        Retries = MemberList.Without(share.Retries, member),
        Ends = MemberList.Without(share.Ends, member),
        Turns = MemberList.Without(share.Turns, member),
    };

    /// <summary>It runs the image of a step, which the rollout brought.</summary>
    private static bool HasStepped(RolloutShare share, int member) => MemberList.Find(share.Steps, member) is not null;

    /// <summary>An offer was made to it.</summary>
    private static bool WasTouched(RolloutShare share, int member) => share.Members[member] switch
    {
        MemberStatus.Waiting => HasStepped(share, member),
        MemberStatus.Succeeded or MemberStatus.Failed or MemberStatus.TimedOut or MemberStatus.Rejected or MemberStatus.Retrying => true,
        MemberStatus.Skipped => ShareRules.RetryOf(share, member) > 0
            || HasStepped(share, member)
            || MemberList.Find(share.Ends, member) is
            {
                Reason: MemberReason.OfferUndelivered or MemberReason.ChangeTimedOut or MemberReason.StepRevoked,
            },
        _ => throw new UnreachableException($"A member is {share.Members[member]}."),
    };
}
