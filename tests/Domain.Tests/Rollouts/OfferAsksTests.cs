using System.Collections.Immutable;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>How long a permit is offered, and kept, of which nobody knows what became of it.</summary>
public sealed class OfferAsksTests
{
    private static readonly ChangeTimers Timers = Spec().Timers;
    private static readonly DateTimeOffset s_end = Start + Timers.UndeliveredMax;

    /// <summary>
    /// An offer is made again just before the end of the first, and its answer is lost: the device may install it by then, and of its permit
    /// no other device is offered anything.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(WayBack.FirstRetry)]
    public void Permit_OfAnOfferThatIsMadeAgainAtTheEndOfTheFirst_IsKeptUntilTheFeedTellsOfIt(int firstRetry)
    {
        var taken = s_end.AddSeconds(-1);
        var share = Permit(WentBack(firstRetry), taken);
        var offer = Assert.Single(share.Open);

        var isKept = !RollBackRules.MayLose(share, offer, Timers, s_end)
            && !RollBackRules.MayLose(share, offer, Timers, s_end + OfferAsks.SilenceMax - TimeSpan.FromSeconds(1));
        var told = offer with { IsConfirmed = true, Generation = 3 };
        var known = ShareRules.Confirm(share, 0, 0, told, firstRetry); // the tail of the feed was late

        Assert.Equal(Start, offer.FirstOfferedAt);
        Assert.True(isKept);
        Assert.Equal((MemberStatus.Offered, 2), (known.Members[0], known.Permits[0].Offered));
        Assert.False(RollBackRules.MayLose(known, known.Open[0], Timers, s_end + OfferAsks.SilenceMax)); // its device will say
    }

    /// <summary>What was made last is in the feed by then: the device has nothing, or cannot be read.</summary>
    [Fact]
    public void Permit_OfADeviceThatNeverAnswers_IsFreeAMinuteBehindItsTime()
    {
        var share = Permit(WentBack(0), s_end.AddSeconds(-1));

        Assert.True(RollBackRules.MayLose(share, share.Open[0], Timers, s_end + OfferAsks.SilenceMax));
        Assert.False(RollBackRules.MayLose(
            share, share.Open[0], Timers with { UndeliveredPolicy = TimeoutPolicy.Wait }, s_end + OfferAsks.SilenceMax));
    }

    /// <summary>
    /// One lost answer is not enough: a device of the way there whose time is over says that it is, and is offered the way back.
    /// </summary>
    [Fact]
    public void Offer_OfTheWayThere_IsGivenUpNoEarlier()
    {
        var made = Permit(ShareRules.Freeze(Guid.Empty, 0, 1), Start);
        made = ShareRules.Confirm(made, 0, 0, made.Open[0] with { IsConfirmed = true, Generation = 1 }, 0);
        var turned = RollBackRules.Begin(made, [1], Start.AddMinutes(1));

        Assert.False(RollBackRules.MayLose(turned, turned.Open[0], Timers, s_end));
        Assert.True(RollBackRules.MayLose(turned, turned.Open[0], Timers, s_end + OfferAsks.SilenceMax));
    }

    /// <summary>An offer that is made later would be over at once, and be in the feed when its permit serves another.</summary>
    [Fact]
    public void Permit_IsOfferedUntilItsTimeIsOver()
    {
        var offer = Permit(WentBack(0), s_end.AddSeconds(-1)).Open[0];

        Assert.True(OfferAsks.MayOffer(offer, Timers, s_end.AddSeconds(-1)));
        Assert.False(OfferAsks.MayOffer(offer, Timers, s_end));
        Assert.True(OfferAsks.MayOffer(offer, Timers with { UndeliveredPolicy = TimeoutPolicy.Wait }, s_end));
        Assert.False(OfferAsks.MayOffer(offer with { IsConfirmed = true }, Timers, s_end.AddSeconds(-1)));
    }

    private static RolloutShare WentBack(int firstRetry)
    {
        var share = Permit(ShareRules.Freeze(Guid.Empty, 0, 1) with { FirstRetry = firstRetry }, Start);
        share = ShareRules.Confirm(share, 0, 0, share.Open[0] with { IsConfirmed = true, Generation = 1 }, firstRetry);
        var end = new MemberOutcome(ChangeOutcome.Withdrawn, firstRetry, OfferHandover.Reason, Start.AddMinutes(1))
        {
            WasMade = true,
            Generation = 1,
        };
        return ShareRules.Close(share, 0, 0, end);
    }

    private static RolloutShare Permit(RolloutShare share, DateTimeOffset now)
    {
        ImmutableArray<long> granted = [share.Permits.Sum(permits => permits.Seen) + 1];
        return ShareRules.TakePermits(share, new PermitGrant(granted, 1, IsOffering: true, now), [0], [MemberReach.Online]);
    }
}
