using Microsoft.Extensions.Time.Testing;
using Muster.Domain.Rollouts;
using Muster.Grains.Rollouts;

namespace Muster.Grains.Tests.Rollouts;

public sealed class ChosenImagesTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly ChosenImages _images;

    public ChosenImagesTests() => _images = new ChosenImages(_clock);

    [Fact]
    public void IsAsked_OfOneWhoDidNotAnswer_IsSoAgainAMinuteLater()
    {
        _images.NoteSilence(3);

        var atOnce = _images.IsAsked(Offer(3, generation: 1));
        _clock.Advance(ChosenImages.SilenceInterval);

        Assert.Equal((false, true), (atOnce, _images.IsAsked(Offer(3, generation: 1))));
    }

    [Fact]
    public void IsAsked_OfOneWhoSaidIt_IsSoOfHisNextOfferAlone()
    {
        _images.Remember(3, generation: 1, "old");

        Assert.Equal((false, true), (_images.IsAsked(Offer(3, generation: 1)), _images.IsAsked(Offer(3, generation: 3))));
    }

    [Fact]
    public void KeepOnly_OfThoseInProgress_ForgetsWhoDidNotAnswerToo()
    {
        _images.NoteSilence(3);
        _images.NoteSilence(4);
        _images.Remember(5, generation: 1, "old");

        _images.KeepOnly(new HashSet<int> { 4 });

        Assert.Equal((true, false), (_images.IsAsked(Offer(3, generation: 3)), _images.IsAsked(Offer(4, generation: 1))));
        Assert.Null(_images.Find(Offer(5, generation: 1)));
        _images.KeepOnly(new HashSet<int>());
        Assert.True(_images.IsEmpty);
    }

    private OpenOffer Offer(int member, long generation) =>
        new(member, Epoch: 1, IsConfirmed: true, _clock.GetUtcNow(), DeliveredAt: null) { Generation = generation };
}
