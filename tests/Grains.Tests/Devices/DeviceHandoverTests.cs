using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Domain.Devices;
using Muster.Testing.Stores;

namespace Muster.Grains.Tests.Devices;

/// <summary>An offer of which no message was handed to a connection goes back; one of which that is not known stays.</summary>
public sealed class DeviceHandoverTests : IAsyncLifetime
{
    private readonly DeviceSilo _silo = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _silo.InitializeAsync();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task Offer_ThatItsGatewayReturns_GoesBackAfterAMinuteAndIsMadeAgain()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        await ReturnAsync(unit, await OfferAsync(unit));

        Assert.Equal(1, (await unit.GetAsync()).Desired.Generation);
        _silo.Clock.Advance(OfferHandover.WaitMax);
        await Unit.UntilAsync(async () => (await unit.GetAsync()).Change is null);

        var closed = Assert.IsType<ChangeClosed>((await _silo.EntriesOfAsync(unit.GrainId))[^1].Fact);
        Assert.Equal((ChangeOutcome.Withdrawn, OfferHandover.Reason), (closed.Outcome, closed.Reason));
        Assert.Equal(new DesiredState(2, null, null), (await unit.GetAsync()).Desired);
        await unit.ConnectAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        Assert.Equal((3L, 0), ((await unit.GetAsync()).Desired.Generation, (await unit.GetAsync()).Change!.Retry));
    }

    [Fact]
    public async Task Offer_WhoseMessageComesBackWhenItsTimeIsOver_GoesBackAtOnce()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var sent = await OfferAsync(unit);
        _silo.Clock.Advance(OfferHandover.WaitMax);
        Assert.NotNull((await unit.GetAsync()).Change);

        await SendBackAsync(unit, sent);

        await Unit.UntilAsync(async () => (await unit.GetAsync()).Change is null);
    }

    [Fact]
    public async Task Offer_ThatNobodyReturned_StaysWithTheDevice()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        await OfferAsync(unit);
        _silo.Clock.Advance(OfferHandover.WaitMax);

        // The timer has looked, and told the device once more.
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel);

        Assert.NotNull((await unit.GetAsync()).Change);
    }

    [Fact]
    public async Task Offer_ThatADeviceIsToldOfInANewSession_StaysWithIt()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var returned = await OfferAsync(unit);
        await ReturnAsync(unit, returned);
        await unit.ConnectAsync();
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 2));
        var told = await unit.Gateway.NextAsync(Cancel);
        _silo.Clock.Advance(OfferHandover.WaitMax);

        await SendBackAsync(unit, returned); // again, for the session that ended
        await unit.Gateway.NextAsync<DesiredMessage>(Cancel); // the timer has looked

        Assert.Equal(2, told.Sent);
        Assert.NotNull((await unit.GetAsync()).Change);
    }

    [Fact]
    public async Task Offer_OfAnActivationThatIsGone_CountsAsHandedOver()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var sent = await OfferAsync(unit);
        await ReturnAsync(unit, sent);
        await _silo.ForgetAsync(unit.GrainId);
        _silo.Clock.Advance(OfferHandover.WaitMax);

        await SendBackAsync(unit, sent);
        await unit.ConnectAsync(); // takes the offer up again: the timer tells the device
        Assert.Equal(0, (await unit.Gateway.NextAsync(Cancel)).Sent);

        Assert.NotNull((await unit.GetAsync()).Change);
    }

    [Fact]
    public async Task Offer_WhoseWithdrawalTheStoreRefuses_CountsAsHandedOver()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var sent = await OfferAsync(unit);
        _silo.Clock.Advance(OfferHandover.WaitMax);
        _silo.FailNextWrite(unit.GrainId, StorageFault.Lost);

        await SendBackAsync(unit, sent);
        await Unit.UntilAsync(() => Task.FromResult(!_silo.IsFaultPending(unit.GrainId)));
        await unit.ConnectAsync();
        await SendBackAsync(unit, sent);

        Assert.Equal(1, (await unit.GetAsync()).Change!.Generation);
        await unit.Grain.HelloAsync(unit.Hello("boot-1", 2, generation: 1));
        Assert.NotNull((await unit.GetAsync()).Change!.DeliveredAt);
    }

    [Fact]
    public async Task Offer_ThatAnotherActivationDelivered_IsNotTakenBackByTheFirst()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var sent = await OfferAsync(unit);
        await unit.OtherGrain.HelloAsync(unit.Hello("boot-1", 2, generation: 1));
        _silo.Clock.Advance(OfferHandover.WaitMax);

        await SendBackAsync(unit, sent); // refused by the store: it knows of the delivery

        await Unit.UntilAsync(async () => (await unit.GetAsync()).Change?.DeliveredAt is not null);
        Assert.DoesNotContain(nameof(ChangeClosed), await unit.FactsAsync());
    }

    [Fact]
    public async Task Offer_ToAnotherSession_IsNotMadeWhileItsGatewayDoesNotHaveIt()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        await ReturnAsync(unit, await OfferAsync(unit));

        await Unit.UntilAsync(async () => (await unit.Grain.OfferAsync(Unit.Offer("summer"))).Status == OfferStatus.WaitingOffline);
        await unit.Grain.StatusAsync(new ReportStatus(unit.Envelope("boot-1", 1), new DeviceHealth(1, null, "")));

        Assert.Equal(OfferStatus.WaitingBusy, (await unit.Grain.OfferAsync(Unit.Offer("summer"))).Status);
    }

    [Fact]
    public async Task ExpireChangeAsync_OfACancelledRollout_TakesBackAtOnceWhatNoConnectionGot()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        var command = new ExpireChange(Unit.Rollout(), TimeSpan.FromHours(1), TimeSpan.FromDays(7)) { IsCancelled = true };
        var sent = await OfferAsync(unit);

        var mayHaveLeft = await unit.Grain.ExpireChangeAsync(command);
        await ReturnAsync(unit, sent);
        var preview = await unit.Grain.PreviewOfferAsync(Unit.Offer());
        var running = await unit.Grain.ExpireChangeAsync(command with { IsCancelled = false });
        var cancelled = await unit.Grain.ExpireChangeAsync(command);

        Assert.Equal((OfferStatus.Offered, OfferStatus.Offered), (mayHaveLeft.Status, running.Status));
        Assert.Equal(_silo.Clock.GetUtcNow() + OfferHandover.WaitMax, preview!.GoesBackAt);
        Assert.Equal(
            (OfferStatus.Closed, ChangeOutcome.Withdrawn, OfferHandover.CancelledReason),
            (cancelled.Status, cancelled.Outcome, cancelled.Reason));
        Assert.Equal(new DesiredState(2, null, null), (await unit.GetAsync()).Desired);
    }

    /// <summary>The way back is an attempt of its own: an order to give up the way there that comes late says nothing of it.</summary>
    [Fact]
    public async Task ExpireChangeAsync_OfACancelledAttemptThatComesLate_LeavesTheNextOneWhereItIs()
    {
        var unit = await new Unit(_silo).EnrolAsync();
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer() with { Retry = 1 })).Status);
        await ReturnAsync(unit, await unit.Gateway.NextAsync(Cancel));
        var command = new ExpireChange(Unit.Rollout(), TimeSpan.FromHours(1), TimeSpan.FromDays(7)) { IsCancelled = true };

        await unit.Grain.ExpireChangeAsync(command);

        Assert.Equal(1, (await unit.GetAsync()).Change?.Retry);
        Assert.DoesNotContain(nameof(ChangeClosed), await unit.FactsAsync());
    }

    private static async Task<DownDelivery> OfferAsync(Unit unit)
    {
        Assert.Equal(OfferStatus.Offered, (await unit.Grain.OfferAsync(Unit.Offer())).Status);
        var delivery = await unit.Gateway.NextAsync(Cancel);
        Assert.Equal(1, delivery.Sent);
        return delivery;
    }

    /// <summary>As a gateway does; the grain has taken it in when it says that the offer goes back.</summary>
    private static async Task ReturnAsync(Unit unit, DownDelivery delivery)
    {
        await SendBackAsync(unit, delivery);
        await Unit.UntilAsync(async () => (await unit.Grain.PreviewOfferAsync(Unit.Offer()))!.GoesBackAt is not null);
    }

    /// <summary>One of which the grain gives no sign, or another one: who needs to know waits for it.</summary>
    private static Task SendBackAsync(Unit unit, DownDelivery delivery) => unit.Grain.ReturnDeliveryAsync(ReturnDelivery.Of(delivery)!);
}
