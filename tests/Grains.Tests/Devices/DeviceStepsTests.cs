using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Grains.Tests.Devices;

/// <summary>
/// The steps to an image, as a device's grain makes them from its own record and the catalogue; the played device runs 12.0.1.
/// </summary>
public sealed class DeviceStepsTests(DeviceSilo silo)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task OfferAsync_ToADeviceBelowAStep_OffersTheStepAndThenTheImage()
    {
        var step = new string('7', 64);
        var unit = await new Unit(silo).EnrolAsync();

        var first = await unit.Grain.OfferAsync(OfferOver(step));
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        var preview = await unit.Grain.PreviewOfferAsync(OfferOver(step));
        Assert.Null(await unit.Grain.AuthorizeDownloadAsync(new AuthorizeDownload(unit.Identity, step)));
        Assert.Null((await unit.Grain.HelloAsync(Boot(unit, "boot-2", step, "12.5", told))).Error);
        var between = await unit.GetAsync();
        var second = await unit.Grain.OfferAsync(OfferOver(step));
        var toldLast = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.HelloAsync(Boot(unit, "boot-3", Unit.NewDigest, "13.0", toldLast))).Error);
        var ended = await unit.Grain.OfferAsync(OfferOver(step));

        Assert.Equal((OfferStatus.Offered, 1L), (first.Status, first.Generation));
        Assert.Equal((step, "12.0.1"), (told.Desired.Os?.Digest, preview!.StepVersion)); // as the played catalogue calls every image
        Assert.Equal((ChangeOutcome.StepTaken, 1), (between.LastChange!.Outcome, between.Installs));
        Assert.Equal((OfferStatus.Offered, 2L), (second.Status, second.Generation));
        Assert.Equal(Unit.NewDigest, toldLast.Desired.Os?.Digest);
        Assert.Equal((ChangeOutcome.Succeeded, 2L), (ended.Outcome, ended.Generation));
        Assert.Equal([false, true, true], new[] { first, second, ended }.Select(reply => reply.HasStepped));
    }

    [Fact]
    public async Task OfferAsync_OfAStepThatIsGone_LeavesTheDeviceOut()
    {
        foreach (var gone in new[] { new string('f', 64), new string('e', 64) })
        {
            var unit = await new Unit(silo).EnrolAsync();

            var reply = await unit.Grain.OfferAsync(OfferOver(gone));

            Assert.Equal((ChangeOutcome.Skipped, ImageConditions.StepRequired, null), (reply.Outcome, reply.Reason, reply.EndedAt));
        }
    }

    /// <summary>Whichever of the two is revoked meanwhile: a step to an image that nobody may have leads nowhere.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OfferAsync_OfAStepWhenItOrTheImageIsRevokedMeanwhile_IsFenced(bool isStep)
    {
        var (step, target) = (new string('8', 63) + (isStep ? 'a' : 'b'), new string('3', 63) + (isStep ? 'a' : 'b'));
        var unit = await new Unit(silo).EnrolAsync();
        var offer = OfferOver(step);
        offer = offer with { Target = offer.Target with { Digest = target } };
        await silo.Fences.RaiseAsync(
            [silo.Partitions.OfDevice($"default/{unit.Id}")], $"image/default/{(isStep ? step : target)}", 1, Cancel);

        Assert.Equal(OfferStatus.Fenced, (await unit.Grain.OfferAsync(offer)).Status);
        Assert.Null((await unit.GetAsync()).Change);
    }

    /// <summary>What was not named is not told any more, to a device that comes back either.</summary>
    [Fact]
    public async Task WithdrawChangeAsync_OfAStepThatIsRevoked_TellsTheDeviceThatNothingIsOrdered()
    {
        var step = new string('7', 64);
        var unit = await new Unit(silo).EnrolAsync();
        var offered = await unit.Grain.OfferAsync(OfferOver(step));
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        var other = await unit.Grain.WithdrawChangeAsync(Revoked(new string('6', 64)));
        var left = await unit.Grain.WithdrawChangeAsync(Revoked(step));
        var again = await unit.Grain.OfferAsync(OfferOver(step));

        Assert.Equal((step, OfferStatus.Offered, step), (offered.ChosenDigest, other.Status, other.ChosenDigest));
        Assert.Equal((OfferStatus.Closed, ChangeOutcome.Skipped, DeviceChanges.StepRevoked), (left.Status, left.Outcome, left.Reason));
        Assert.Equal((ChangeOutcome.Skipped, 1L), (again.Outcome, again.Generation));
        Assert.Null((await unit.GetAsync()).Desired.Os);
        while (!told.Desired.OrdersNothing)
        {
            told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        }
    }

    /// <summary>The second activation knows nothing of the step that was taken, and the store refuses what it decides by that.</summary>
    [Fact]
    public async Task OfferAsync_AtASecondActivation_OffersNoStepTwice()
    {
        var step = new string('7', 64);
        var unit = await new Unit(silo).EnrolAsync();
        silo.Presence[unit.Id] = new(true, silo.Clock.GetUtcNow(), unit.Epoch, "gateway-1", unit.Session().Gateway, null);
        Assert.NotNull((await unit.OtherGrain.GetAsync()).Device); // it has read the record
        await unit.Grain.OfferAsync(OfferOver(step));
        var told = await unit.Gateway.NextAsync<DesiredMessage>(Cancel);
        Assert.Null((await unit.Grain.HelloAsync(Boot(unit, "boot-2", step, "12.5", told))).Error);

        await Assert.ThrowsAsync<Contracts.Commit.CommitConflictException>(() => unit.OtherGrain.OfferAsync(OfferOver(step)));
        var again = await unit.Grain.OfferAsync(OfferOver(step));

        Assert.Equal(OfferStatus.Offered, again.Status);
        Assert.Equal(Unit.NewDigest, (await unit.GetAsync()).Change!.Target.Digest);
    }

    private static WithdrawChange Revoked(string step) => new(Unit.Rollout(), DeviceChanges.StepRevoked) { RevokedStep = step };

    private static OfferChange OfferOver(string step) => Unit.Offer() with
    {
        Target = new OsTarget(Unit.NewDigest, "13.0", 1000, [1]),
        Conditions = new ImageConditions { Steps = ["12.5"] },
        Path = [new StepImage(step, "12.5", "active", [Unit.Model], ImageConditions.None)],
    };

    private static ReportHello Boot(Unit unit, string boot, string digest, string version, DesiredMessage told) =>
        unit.Hello(boot, 1) with { Os = new ReportedOs(version, digest, boot, true, true), Generation = told.Desired.Generation };
}
