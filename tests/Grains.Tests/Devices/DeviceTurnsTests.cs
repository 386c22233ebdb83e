using Muster.Contracts.Devices;
using Muster.Domain.Devices;

namespace Muster.Grains.Tests.Devices;

/// <summary>Several rollouts that wait for the same device.</summary>
public sealed class DeviceTurnsTests : IAsyncLifetime
{
    private static readonly string NewestDigest = new('3', 64);

    private readonly DeviceSilo _silo = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private DateTimeOffset Now => _silo.Clock.GetUtcNow();

    private ChangeRank Older => new(0, Now.AddDays(-2)) { IsOsImage = true };

    private ChangeRank Newer => new(0, Now.AddDays(-1)) { SupersedesOlder = true, IsOsImage = true };

    private ChangeRank Urgent => new(5, Now);

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task OfferAsync_ToADeviceThatAHigherOneWaitsFor_WaitsForAMinuteAtMost()
    {
        var unit = await BusyAsync();
        await AwaitAsync(unit, "urgent", Urgent);
        await FreeAsync(unit);
        var lesser = Offer("lesser", Older);

        var kept = await unit.Grain.OfferAsync(lesser);
        var preview = await unit.Grain.PreviewOfferAsync(lesser);
        _silo.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(OfferStatus.WaitingBusy, (await unit.Grain.OfferAsync(lesser)).Status);
        _silo.Clock.Advance(TimeSpan.FromSeconds(1));
        var made = await unit.Grain.OfferAsync(lesser);

        Assert.Equal((OfferStatus.WaitingBusy, Now), (kept.Status, kept.AskAgainAt));
        Assert.Equal("urgent", preview!.KeptFor);
        Assert.Equal(OfferStatus.Offered, made.Status);
        Assert.Equal("", (await unit.Grain.PreviewOfferAsync(lesser))!.KeptFor);
    }

    [Fact]
    public async Task OfferAsync_OfTheFirstThatWaits_IsMadeAtOnce()
    {
        var unit = await BusyAsync();
        await AwaitAsync(unit, "older", Older);
        await AwaitAsync(unit, "urgent", Urgent);
        await FreeAsync(unit);

        Assert.Equal(OfferStatus.WaitingBusy, (await unit.Grain.OfferAsync(Offer("older", Older))).Status);
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer("urgent", Urgent))).Status);
        Assert.Equal("urgent", (await unit.GetAsync()).Change!.Rollout.Value);
    }

    [Fact]
    public async Task OfferAsync_OfAnActivationThatHeardOfNobody_IsMade()
    {
        var unit = await BusyAsync();
        await AwaitAsync(unit, "urgent", Urgent);
        await FreeAsync(unit);
        await _silo.ForgetAsync(unit.GrainId);
        await unit.ConnectAsync();

        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer("lesser", Older))).Status);
    }

    [Fact]
    public async Task OfferAsync_OfANewerImage_TakesThePlaceOfAnOlderOneThatNoConnectionGot()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer("older", Older))).Status);
        var sent = await unit.Gateway.NextAsync(Cancel);
        var newer = Offer("newer", Newer, NewestDigest);

        await AwaitAsync(unit, "newer", Newer);
        Assert.Equal(OfferStatus.WaitingBusy, (await unit.Grain.OfferAsync(newer)).Status); // a message may have left
        await unit.Grain.ReturnDeliveryAsync(ReturnDelivery.Of(sent)!);
        await Unit.UntilAsync(async () => (await unit.Grain.PreviewOfferAsync(Offer("older", Older)))!.GoesBackAt is not null);
        await AwaitAsync(unit, "newer", Newer);
        Assert.Equal("older", (await unit.GetAsync()).Change!.Rollout.Value); // who waits ends nothing
        await unit.ConnectAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(newer)).Status);

        var device = await unit.GetAsync();
        Assert.Equal("newer", device.Change!.Rollout.Value);
        Assert.Equal((ChangeOutcome.Skipped, DeviceChanges.Superseded), (device.LastChange!.Outcome, device.LastChange.Reason));
        var late = await unit.Grain.OfferAsync(Offer("oldest", Older));
        Assert.Equal((OfferStatus.Closed, DeviceChanges.Superseded), (late.Status, late.Reason));
    }

    [Fact]
    public async Task OfferAsync_OfAnOlderImage_WaitsForANewerThatSupersedesItAndIsSkippedBehindIt()
    {
        var unit = await BusyAsync();
        await AwaitAsync(unit, "older", Older);
        await AwaitAsync(unit, "newer", Newer);
        await FreeAsync(unit);

        Assert.Equal(OfferStatus.WaitingBusy, (await unit.Grain.OfferAsync(Offer("older", Older))).Status);
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer("newer", Newer, NewestDigest))).Status);
        var late = await unit.Grain.OfferAsync(Offer("older", Older));

        Assert.Equal((OfferStatus.Closed, DeviceChanges.Superseded), (late.Status, late.Reason));
    }

    /// <summary>A device that another rollout has.</summary>
    private async Task<Unit> BusyAsync()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Offer("first", Older))).Status);
        return unit;
    }

    private static async Task FreeAsync(Unit unit)
    {
        await unit.Grain.ReportAsync(unit.Report("boot-1", 1, 1, ChangeStep.Downloading) with { Outcome = ChangeOutcome.Failed });
        Assert.Null((await unit.GetAsync()).Change);
    }

    /// <summary>One that is first then; the word is one-way, and taken in when the device names it.</summary>
    private static async Task AwaitAsync(Unit unit, string rollout, ChangeRank rank)
    {
        await unit.Grain.AwaitTurnAsync(new AwaitTurn(Unit.Rollout(rollout), rank));
        await Unit.UntilAsync(async () =>
            (await unit.Grain.PreviewOfferAsync(Offer("probe", ChangeRank.Last)))!.KeptFor == rollout);
    }

    private static OfferChange Offer(string rollout, ChangeRank rank, string? digest = null)
    {
        var offer = Unit.Offer(rollout);
        return offer with { Rank = rank, Target = offer.Target with { Digest = digest ?? offer.Target.Digest } };
    }
}
