using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What a share takes from a device's progress: when it began to install, from which on its time is not held any more.</summary>
public static class ShareInstalls
{
    /// <summary>
    /// When the device began to install, if the fact is of the report that says so, of a change with install windows; else null.
    /// </summary>
    /// <param name="install">What the fact says.</param>
    /// <param name="at">When it was committed: the same instant that the device's record has.</param>
    public static DateTimeOffset? SinceOf(InstallStart install, DateTimeOffset at) => install switch
    {
        InstallStart.None => null,
        InstallStart.InWindow or InstallStart.OutsideWindow => at,
        _ => throw new UnreachableException($"A device began to install {install}."),
    };

    /// <summary>
    /// Takes the beginning in. A fact of another attempt than the member's own, or of an earlier offer of it, is late; one of a member
    /// without an offer says nothing that its own fact, or the device when it is asked, does not.
    /// </summary>
    public static RolloutShare Begin(RolloutShare share, int member, int retry, long generation, DateTimeOffset? since)
    {
        ArgumentNullException.ThrowIfNull(share);
        if (since is null
            || share.Members[member] != MemberStatus.Offered
            || ShareRules.RetryOf(share, member) != retry
            || ShareRules.Find(share, member).Offer is not { IsConfirmed: true, InstallsSince: null } offer
            || OfferGenerations.IsLateOffer(share, member, offer, generation))
        {
            return share;
        }

        return share with { Open = share.Open.Replace(offer, offer with { InstallsSince = since }) };
    }
}
