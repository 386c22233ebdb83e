using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

public sealed class DeviceOffersTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OfferAsync_UntilTheBoot_IsDeliveredAndSucceeds()
    {
        var unit = await new Unit(silo).EnrolAsync();

        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        Assert.Equal(Unit.NewDigest, (await unit.Gateway.NextAsync<DesiredMessage>(Cancel)).Desired.Os?.Digest);
        Assert.Null(await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.NewDigest)));
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Downloading))).Error);
        Assert.Null((await unit.Grain.ReportAsync(unit.Report("boot-1", 2, 1, ChangeStep.Rebooting))).Error);
        Assert.NotNull((await unit.Grain.OfferAsync(Unit.Offer())).DeliveredAt);
        Assert.Null((await unit.Grain.HelloAsync(unit.Hello("boot-2", 1, Unit.NewDigest, 1))).Error);

        var again = await unit.Grain.OfferAsync(Unit.Offer());
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Succeeded), (again.Status, again.Outcome));
        Assert.Equal(
            ["ChangeOffered", "ChangeDelivered", "ChangeProgressed", "DeviceHelloTaken", "ChangeClosed"], (await unit.FactsAsync())[4..]);
        Assert.Equal(1, (await unit.GetAsync()).Installs);
    }

    [Fact]
    public async Task OfferAsync_BehindAFence_LeavesNothing()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var partition = silo.Partitions.OfDevice($"default/{unit.Id}");
        await silo.Fences.RaiseAsync([partition], "rollout/default/fenced", 3, Cancel);

        var late = await unit.Grain.OfferAsync(Unit.Offer("fenced", epoch: 2));
        var current = await unit.Grain.OfferAsync(Unit.Offer("fenced", epoch: 3));

        Assert.Equal(OfferStatus.Fenced, late.Status);
        Assert.Equal(OfferStatus.Offered, current.Status);
        Assert.Single(await unit.FactsAsync(), nameof(ChangeOffered));
        Assert.Equal(1, (await unit.GetAsync()).Desired.Generation);
    }

    [Fact]
    public async Task OfferAsync_OfARevokedImage_IsFencedWhateverTheRollout()
    {
        const string Digest = "5555555555555555555555555555555555555555555555555555555555555555";
        var unit = await new Unit(silo).EnrolAsync();
        await silo.Fences.RaiseAsync([silo.Partitions.OfDevice($"default/{unit.Id}")], $"image/default/{Digest}", 1, Cancel);
        var offer = Unit.Offer("revoked-image");

        var revoked = await unit.Grain.OfferAsync(offer with { Target = offer.Target with { Digest = Digest } });
        var other = await unit.Grain.OfferAsync(Unit.Offer("another-image"));

        Assert.Equal((OfferStatus.Fenced, OfferStatus.Offered), (revoked.Status, other.Status));
    }

    [Fact]
    public async Task WithdrawChangeAsync_BeforeItsDelivery_TellsTheDeviceOfNoImage()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer());
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        var reply = await unit.Grain.WithdrawChangeAsync(new WithdrawChange(Unit.Rollout(), "IMAGE_REVOKED"));

        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Withdrawn, "IMAGE_REVOKED"), (reply.Status, reply.Outcome, reply.Reason));
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Equal((2L, null), (told.Desired.Generation, told.Desired.Os));
        Assert.NotNull(await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.NewDigest)));
    }

    [Fact]
    public async Task WithdrawChangeAsync_AfterItsDelivery_LeavesItToTheDevice()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer());
        await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Downloading));

        var reply = await unit.Grain.WithdrawChangeAsync(new WithdrawChange(Unit.Rollout(), "IMAGE_REVOKED"));

        Assert.Equal(OfferStatus.Offered, reply.Status);
        Assert.NotNull(reply.DeliveredAt);
        Assert.Equal(1, (await unit.GetAsync()).Desired.Generation);
    }

    /// <summary>Its share learns of the attempt from the answer, and asks about that one.</summary>
    [Fact]
    public async Task WithdrawChangeAsync_OfAnotherAttempt_LeavesTheOffer()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer() with { Retry = 1 });

        var late = await unit.Grain.WithdrawChangeAsync(new WithdrawChange(Unit.Rollout(), "IMAGE_REVOKED"));
        var known = await unit.GetAsync();
        var reply = await unit.Grain.WithdrawChangeAsync(new WithdrawChange(Unit.Rollout(), "IMAGE_REVOKED") { Retry = late.Retry });

        Assert.Equal((OfferStatus.Offered, 1), (late.Status, late.Retry));
        Assert.Equal((1L, 1), (known.Desired.Generation, known.Change!.Retry));
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Withdrawn), (reply.Status, reply.Outcome));
    }

    [Fact]
    public async Task OfferAsync_WhenTheFenceRises_IsStillAnsweredForAnOfferThatIsOut()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer("risen"));
        await silo.Fences.RaiseAsync([silo.Partitions.OfDevice($"default/{unit.Id}")], "rollout/default/risen", 1, Cancel);

        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer("risen"))).Status);
    }

    [Fact]
    public async Task OfferAsync_OfTwoActivations_MakesOneOffer()
    {
        var unit = await new Unit(silo).EnrolAsync();
        silo.Presence[unit.Id] = new(true, silo.Clock.GetUtcNow(), unit.Epoch, "gateway-1", unit.Session().Gateway, null);

        await unit.OtherGrain.OfferAsync(Unit.Offer("two"));
        await Assert.ThrowsAsync<Contracts.Commit.CommitConflictException>(() => unit.Grain.OfferAsync(Unit.Offer("two")));

        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer("two"))).Status);
        Assert.Single(await unit.FactsAsync(), nameof(ChangeOffered));
    }

    [Fact]
    public async Task PreviewOfferAsync_BeforeAndAfterTheOffer_SaysWhatItWouldDoAndLeavesNothing()
    {
        var unit = await new Unit(silo).EnrolAsync();
        var facts = (await unit.FactsAsync()).Length;

        var before = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        var unfit = await unit.Grain.PreviewOfferAsync(Unit.Offer() with { Models = ["Q6075"] });
        Assert.Equal(facts, (await unit.FactsAsync()).Length);
        await unit.Grain.OfferAsync(Unit.Offer());
        var after = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        var other = await unit.Grain.PreviewOfferAsync(Unit.Offer("autumn"));

        Assert.Equal((OfferVerdict.InProgress, true), (before!.Verdict, before.WouldOffer));
        Assert.Equal((OfferVerdict.Closed, "MODEL_NOT_COMPATIBLE"), (unfit!.Verdict, unfit.Reason));
        Assert.Equal((OfferVerdict.InProgress, false, ChangeStep.Offered), (after!.Verdict, after.WouldOffer, after.Step));
        Assert.Equal((OfferVerdict.Busy, "spring"), (other!.Verdict, other.BusyWith));
    }

    [Fact]
    public async Task ExpireChangeAsync_PastItsTime_ClosesAndWithdraws()
    {
        var unit = await new Unit(silo).EnrolAsync();
        await unit.Grain.OfferAsync(Unit.Offer());
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        var reply = await unit.Grain.ExpireChangeAsync(new ExpireChange(Unit.Rollout(), TimeSpan.FromHours(1), TimeSpan.Zero));

        Assert.Equal((OfferStatus.Closed, ChangeOutcome.TimedOut), (reply.Status, reply.Outcome));
        Assert.Equal(new DesiredState(2, null, null), (await unit.Gateway.NextAsync<DesiredMessage>(Cancel)).Desired);
        Assert.Equal(
            "DOWNLOAD_NOT_ALLOWED",
            (await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, Unit.NewDigest)))?.Reason);
    }
}
