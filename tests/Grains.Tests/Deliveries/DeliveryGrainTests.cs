using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Deliveries;
using Muster.Domain;
using Muster.Domain.Deliveries;
using Muster.Domain.Inventory;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Deliveries;

public sealed class DeliveryGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Anna = Actor.Operator("anna");

    [Fact]
    public async Task CompleteAsync_OfTheRunThatBegan_IsListedWithItsCounts()
    {
        var (grain, record) = Delivery("order-1");

        var begun = await grain.BeginAsync(Anna);
        var done = await grain.CompleteAsync(Completion(begun.Delivery!.Run));

        Assert.Equal((DeliveryState.Imported, 2), (done.Delivery!.State, done.Delivery.Counts.Refused));
        Assert.Equal(3, Assert.Single((await grain.GetAsync()).Delivery!.Errors).Line);
        Assert.Equal((DeliveryState.Imported, 7), Counts(record));
        Assert.Equal(
            [typeof(DeliveryBegun), typeof(DeliveryImported)], silo.Store.FactsOf(record).Select(fact => fact.Fact.GetType()));
        Assert.All(silo.Store.FactsOf(record), fact => Assert.Equal(Anna, fact.Actor));
    }

    [Fact]
    public async Task CompleteAsync_WhoseAnswerWasLost_IsRepeated()
    {
        var (grain, record) = Delivery("order-2");
        var begun = await grain.BeginAsync(Anna);
        silo.Store.FailNextWrite(record, WriteFault.ReplyLost);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => grain.CompleteAsync(Completion(begun.Delivery!.Run)));
        var again = await grain.CompleteAsync(Completion(begun.Delivery!.Run));

        Assert.Equal(DeliveryState.Imported, again.Delivery?.State);
        Assert.Single(silo.Store.FactsOf(record), fact => fact.Fact is DeliveryImported);
    }

    [Fact]
    public async Task GetAsync_OfNone_IsRefused() =>
        Assert.Equal("NOT_FOUND", (await Delivery("order-3").Grain.GetAsync()).Error?.Reason);

    private (DeliveryState, int) Counts(RecordKey record)
    {
        var row = Assert.IsType<DeliveryRow>(silo.Store.RowOf(record));
        return (row.State, row.Counts.Created);
    }

    private static CompleteDelivery Completion(int run) => new(
        Anna,
        run,
        new DeliveryCounts(7, 1, 2),
        [new DeliveryLineError(3, "B8A44F000001", "model", "DELIVERY_LINE_INVALID", "is required")]);

    private (IDeliveryGrain Grain, RecordKey Record) Delivery(string id) =>
        (silo.Grains.GetGrain<IDeliveryGrain>($"default/{id}"), new RecordKey(GrainTypes.Delivery, $"default/{id}"));
}
