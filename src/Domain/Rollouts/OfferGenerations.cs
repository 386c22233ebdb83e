using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// An offer of the member's that is over, as the feed said, or its device itself, ahead of the feed: what is said of it later, and of all
/// before it, is late.
/// </summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Generation">The desired generation that carried the offer.</param>
[GenerateSerializer, Immutable, Alias("muster.member-passed")]
public readonly record struct MemberPassed([property: Id(0)] int Member, [property: Id(1)] long Generation) : IOfMember;

/// <summary>
/// Which of several offers of one attempt a fact is about. An offer goes back, or takes a step, and the next of the same attempt has
/// a permit of its own: a fact of the first that is read late must not free it. A device's generations grow with every offer, and tell
/// them apart. Where one is 0, as in records and answers of earlier versions, only attempts are told apart.
/// </summary>
public static class OfferGenerations
{
    /// <summary>A fact that an offer was made or delivered: it is late when a newer one is known, or when this one is over.</summary>
    /// <param name="share">The share.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="permit">What the member has a permit for; null for none.</param>
    /// <param name="generation">The offer that the fact is about.</param>
    public static bool IsLateOffer(RolloutShare share, int member, OpenOffer? permit, long generation)
    {
        ArgumentNullException.ThrowIfNull(share);
        return generation > 0 && (generation < permit?.Generation || generation <= PassedOf(share, member));
    }

    /// <summary>
    /// A fact that an offer is over: it is late when a newer one is known, or when that was known and the member waits again, or has
    /// another permit. A success of which the device said so may still be taken back.
    /// </summary>
    /// <param name="share">The share.</param>
    /// <param name="member">The member's index.</param>
    /// <param name="permit">What the member has a permit for; null for none.</param>
    /// <param name="end">What is said.</param>
    public static bool IsLateEnd(RolloutShare share, int member, OpenOffer? permit, MemberOutcome end)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (end.Generation == 0)
        {
            return false;
        }

        var passed = PassedOf(share, member);
        return end.Generation < permit?.Generation
            || end.Generation < passed
            || (end.Generation == passed && (permit is not null || LetsWait(end.Outcome)));
    }

    /// <summary>
    /// What the device itself says of an offer that is over: of one that is known to be, it is no word about the permit that the member has
    /// meanwhile, which was not used.
    /// </summary>
    public static MemberOutcome Judge(RolloutShare share, int member, MemberOutcome end)
    {
        ArgumentNullException.ThrowIfNull(share);
        return end with { IsRepeated = end.Generation > 0 && end.Generation <= PassedOf(share, member) };
    }

    /// <summary>The device itself speaks of this offer: it is the newest, whatever was known.</summary>
    public static RolloutShare Adopt(RolloutShare share, int member, long generation)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (generation == 0)
        {
            return share;
        }

        var next = generation <= PassedOf(share, member) ? Forget(share, member) : share;
        return PermitOf(next, member) is { } permit && permit.Generation > generation
            ? next with { Open = next.Open.Replace(permit, permit with { Generation = generation }) }
            : next;
    }

    /// <summary>The device itself said that this offer is over, and that there is none after it.</summary>
    public static RolloutShare Pass(RolloutShare share, int member, long generation)
    {
        ArgumentNullException.ThrowIfNull(share);
        return generation == 0 ? share : share with { Passed = MemberList.With(share.Passed, new MemberPassed(member, generation)) };
    }

    /// <summary>
    /// The offer is over, and the member waits within its attempt: should its next permit not be used, the device says so again.
    /// </summary>
    internal static RolloutShare PassWaiting(RolloutShare share, int member, MemberOutcome end) =>
        LetsWait(end.Outcome) ? Pass(share, member, end.Generation) : share;

    /// <summary>The feed has come beyond what was known to be over: nothing that follows is late by it.</summary>
    internal static RolloutShare CatchUp(RolloutShare share, int member, long generation) =>
        PassedOf(share, member) is { } passed && passed < generation ? Forget(share, member) : share;

    /// <summary>The feed goes on from elsewhere, with devices that may have gone back: what was said before tells nothing apart.</summary>
    internal static RolloutShare ForgetAll(RolloutShare share) => share with
    {
        Passed = [],
        Open = [.. share.Open.Select(offer => offer with { Generation = 0 })],
    };

    /// <summary>What is known of the permit's offer now; another offer takes the place of one that went back.</summary>
    internal static OpenOffer Merge(OpenOffer known, OpenOffer offered) =>
        known.Generation == 0 || offered.Generation == 0 || known.Generation == offered.Generation
            ? known with
            {
                IsConfirmed = true,
                FirstOfferedAt = known.IsConfirmed ? known.FirstOfferedAt : offered.FirstOfferedAt, // the device's record decides
                DeliveredAt = known.DeliveredAt ?? offered.DeliveredAt,
                InstallsSince = known.InstallsSince ?? offered.InstallsSince,
                Generation = Math.Max(known.Generation, offered.Generation),
            }
            : offered with { IsConfirmed = true, Epoch = Math.Max(known.Epoch, offered.Epoch) };

    /// <summary>The attempt goes on behind it.</summary>
    private static bool LetsWait(ChangeOutcome outcome) => outcome is ChangeOutcome.Withdrawn or ChangeOutcome.StepTaken;

    private static RolloutShare Forget(RolloutShare share, int member) => share with { Passed = MemberList.Without(share.Passed, member) };

    private static long? PassedOf(RolloutShare share, int member) => MemberList.Find(share.Passed, member)?.Generation;

    private static OpenOffer? PermitOf(RolloutShare share, int member) => ShareRules.Find(share, member).Offer;
}
