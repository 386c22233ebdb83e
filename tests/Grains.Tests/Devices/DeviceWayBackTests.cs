using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

/// <summary>The way back of a rollout, as a device's grain makes it from its own record and the catalogue.</summary>
public sealed class DeviceWayBackTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static OfferChange WayBackOffer => Unit.Offer() with { Retry = WayBack.FirstRetry };

    [Fact]
    public async Task OfferAsync_OfTheWayBack_OffersWhatTheDeviceRanBeforeUntilItsBoot()
    {
        var unit = await UpdatedAsync(Unit.OldDigest);

        var offered = await unit.Grain.OfferAsync(WayBackOffer);
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null(await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.OldDigest)));
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-2", 1, told.Desired.Generation, ChangeStep.Rebooting))).Error);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-3", 1, Unit.OldDigest, told.Desired.Generation))).Error);
        var ended = await unit.Grain.OfferAsync(WayBackOffer);

        Assert.Equal((OfferStatus.Offered, WayBack.FirstRetry), (offered.Status, offered.Retry));
        Assert.Equal((Unit.OldDigest, "12.0.1"), (told.Desired.Os?.Digest, told.Desired.Os?.Version));
        Assert.Equal((ChangeOutcome.Succeeded, WayBack.FirstRetry), (ended.Outcome, ended.Retry));
        Assert.NotNull(ended.EndedAt);
    }

    [Fact]
    public async Task OfferAsync_OfTheWayBackToAnImageThatIsGone_SaysThatThereIsNone()
    {
        foreach (var gone in new[] { new string('f', 64), new string('e', 64) })
        {
            var unit = await UpdatedAsync(gone);

            var reply = await unit.Grain.OfferAsync(WayBackOffer);
            var preview = await unit.Grain.PreviewOfferAsync(WayBackOffer);

            Assert.Equal((ChangeOutcome.Skipped, WayBack.NoWayBack, null), (reply.Outcome, reply.Reason, reply.EndedAt));
            Assert.Equal((false, WayBack.NoWayBack), (preview!.WouldOffer, preview.Reason));
        }
    }

    [Fact]
    public async Task OfferAsync_OfTheWayBackToAnImageThatIsRevokedMeanwhile_IsFenced()
    {
        var digest = new string('6', 64);
        var unit = await UpdatedAsync(digest);
        await silo.Fences.RaiseAsync([silo.Partitions.OfDevice($"default/{unit.Id}")], $"image/default/{digest}", 1, Cancel);

        Assert.Equal(OfferStatus.Fenced, (await unit.Grain.OfferAsync(WayBackOffer)).Status);
    }

    [Fact]
    public async Task WithdrawChangeAsync_OfAWayThatIsNoneAnyMore_TellsTheDeviceThatNothingIsOrdered()
    {
        var unit = await UpdatedAsync(Unit.OldDigest);
        var there = await unit.Grain.OfferAsync(Unit.Offer());
        var offered = await unit.Grain.OfferAsync(WayBackOffer);
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        var asked = await unit.Grain.ExpireChangeAsync(
            new ExpireChange(Unit.Rollout(), TimeSpan.FromHours(1), TimeSpan.FromDays(7)) { Retry = WayBack.FirstRetry });

        var left = await unit.Grain.WithdrawChangeAsync(
            new WithdrawChange(Unit.Rollout(), WayBack.NoWayBack) { Retry = WayBack.FirstRetry });

        // The share learns which image it looks after from the device alone, whenever it asks.
        Assert.Equal((null, Unit.OldDigest, Unit.OldDigest), (there.ChosenDigest, offered.ChosenDigest, asked.ChosenDigest));
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Skipped, WayBack.NoWayBack), (left.Status, left.Outcome, left.Reason));
        while (!told.Desired.OrdersNothing)
        {
            told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        }
    }

    /// <summary>It ran the image before, and runs the rollout's now.</summary>
    private async Task<Unit> UpdatedAsync(string before)
    {
        var unit = await new Unit(silo).EnrolAsync();
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-1", 2, before))).Error);
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, Unit.NewDigest, 1))).Error);
        Assert.Equal(1, (await unit.GetAsync()).Installs);
        return unit;
    }
}
