namespace Muster.Domain.Rollouts;

/// <summary>A device has said that its offer is committed.</summary>
/// <param name="Offer">The offer, with when the device named its generation.</param>
/// <param name="Retry">The attempt that the device speaks of: how many ended before it.</param>
public readonly record struct OfferAnswer(OpenOffer Offer, int Retry);

/// <summary>
/// The answers of many devices at once: the same as <see cref="ShareRules.Confirm"/> for one after the other, with one copy of the share's
/// lists instead of one for each of them: with four hundred open offers some twenty kilobytes.
/// </summary>
public static class OfferAnswers
{
    /// <param name="share">The share.</param>
    /// <param name="answers">In the order of <see cref="RolloutShare.Open"/>; of each member at most one.</param>
    /// <param name="waves">The wave of each member.</param>
    public static RolloutShare ConfirmAll(RolloutShare share, IReadOnlyList<OfferAnswer> answers, ImmutableArray<byte> waves)
    {
        ArgumentNullException.ThrowIfNull(share);
        ArgumentNullException.ThrowIfNull(answers);
        if (answers.Count == 0)
        {
            return share;
        }

        var open = share.Open.ToBuilder();
        var permits = share.Permits.ToBuilder();
        var others = new List<OfferAnswer>();
        HashSet<int>? beyond = null;
        var at = 0;
        foreach (var answer in answers)
        {
            var place = Find(open, answer.Offer.Member, at);
            if (place < 0 || !IsPlain(share, answer))
            {
                others.Add(answer);
                continue;
            }

            at = place + 1;
            var known = open[place];
            open[place] = OfferGenerations.Merge(known, answer.Offer);
            if (!known.IsConfirmed)
            {
                Count(permits, waves[known.Member]);
            }

            if (MemberList.Find(share.Passed, known.Member) is not null)
            {
                (beyond ??= []).Add(known.Member);
            }
        }

        var next = share with
        {
            Open = open.DrainToImmutable(),
            Permits = permits.DrainToImmutable(),
            Passed = beyond is null ? share.Passed : share.Passed.RemoveAll(passed => beyond.Contains(passed.Member)),
        };
        return others.Aggregate(next, (current, answer) => Confirm(current, answer, waves));
    }

    /// <summary>What the device says of itself is so, also of another attempt, or another offer, than the share knows of.</summary>
    private static RolloutShare Confirm(RolloutShare share, OfferAnswer answer, ImmutableArray<byte> waves)
    {
        var member = answer.Offer.Member;
        var adopted = OfferGenerations.Adopt(ShareRules.Adopt(share, member, answer.Retry), member, answer.Offer.Generation);
        return ShareRules.Confirm(adopted, member, waves[member], answer.Offer, answer.Retry);
    }

    /// <summary>The device and the share speak of the same attempt, and nothing else is known of it but offers that are over.</summary>
    private static bool IsPlain(RolloutShare share, OfferAnswer answer) =>
        share.Members[answer.Offer.Member] == MemberStatus.Offered
        && ShareRules.RetryOf(share, answer.Offer.Member) == answer.Retry
        && MemberList.Find(share.Ends, answer.Offer.Member) is null
        && !(answer.Offer.Generation <= MemberList.Find(share.Passed, answer.Offer.Member)?.Generation);

    private static int Find(ImmutableArray<OpenOffer>.Builder open, int member, int from)
    {
        for (var i = from; i < open.Count; i++)
        {
            if (open[i].Member == member)
            {
                return i;
            }
        }

        return -1;
    }

    private static void Count(ImmutableArray<PermitsUsed>.Builder permits, byte wave)
    {
        while (permits.Count <= wave)
        {
            permits.Add(default);
        }

        permits[wave] = permits[wave] with { Offered = permits[wave].Offered + 1 };
    }
}
