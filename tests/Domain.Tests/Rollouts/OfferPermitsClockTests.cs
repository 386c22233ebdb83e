using Muster.Domain.Rollouts;
using static Muster.Domain.Tests.Rollouts.RolloutBuilder;

namespace Muster.Domain.Tests.Rollouts;

/// <summary>The rate when the clock of the coordinator is set (rollouts.md 11).</summary>
public sealed class OfferPermitsClockTests
{
    /// <summary>What the clock shows to be in the future counts for a minute, and not until the clock is there again.</summary>
    [Fact]
    public void Remember_WhenTheClockIsSetBack_CountsWhatWasOfferedForAMinuteMore()
    {
        var recent = OfferPermits.Remember([], 5, Start.AddHours(2));

        var back = OfferPermits.Remember(recent, 0, Start);

        Assert.Equal(5, back.Sum(offers => offers.Count));
        Assert.Equal(5, OfferPermits.Remember(back, 0, Start.AddSeconds(59)).Sum(offers => offers.Count));
        Assert.Empty(OfferPermits.Remember(back, 0, Start.AddSeconds(61)));
    }

    [Fact]
    public void Remember_WhenTheClockIsSetBackAndOffersFollow_KeepsOneOfASecondAndForgetsNone()
    {
        var recent = OfferPermits.Remember(OfferPermits.Remember([], 5, Start.AddHours(2)), 3, Start.AddHours(2).AddSeconds(4));

        var back = OfferPermits.Remember(recent, 2, Start);

        Assert.Equal([new OffersMade(Start, 10)], back);
    }
}
