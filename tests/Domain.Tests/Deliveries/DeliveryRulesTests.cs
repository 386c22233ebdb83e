using System.Collections.Immutable;
using Muster.Domain.Deliveries;

namespace Muster.Domain.Tests.Deliveries;

public sealed class DeliveryRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ResourceId Id = ResourceId.TryParse("order-4711", out var id) ? id : throw new FormatException();

    [Fact]
    public void Begin_OfANewDelivery_IsItsFirstRun()
    {
        var begun = Begin(null);

        Assert.Equal((DeliveryState.Importing, 1, Now), (begun.State, begun.Run, begun.BegunAt));
        Assert.Equal(Id, begun.Id);
    }

    [Fact]
    public void Begin_AfterAnImport_KeepsItsCountsUntilTheNextEnds()
    {
        var imported = Complete(Begin(null), 1, new DeliveryCounts(3, 0, 1), [Error(2)]).Next!;

        var again = Begin(imported);
        var done = Complete(again, 2, new DeliveryCounts(0, 3, 0), []).Next!;

        Assert.Equal((DeliveryState.Importing, 2, null, 1), (again.State, again.Run, again.EndedAt, again.Counts.Refused));
        Assert.Equal((DeliveryState.Imported, new DeliveryCounts(0, 3, 0)), (done.State, done.Counts));
        Assert.Empty(done.Errors);
    }

    [Fact]
    public void Begin_OfAnIdTooLongForItsRequests_IsRefused()
    {
        var longest = ResourceId.TryParse(new string('a', DeliveryRules.IdLengthMax), out var id) ? id : default;
        var tooLong = ResourceId.TryParse(longest + "a", out id) ? id : default;

        Assert.Null(DeliveryRules.Begin(null, TenantId.Default, longest, Now).Error);
        Assert.Equal(64, DeliveryRules.RequestIdOf(longest).Length);
        Assert.Equal("REQUEST_INVALID", DeliveryRules.Begin(null, TenantId.Default, tooLong, Now).Error?.Reason);
    }

    [Fact]
    public void Complete_Twice_ChangesNothing()
    {
        var imported = Complete(Begin(null), 1, new DeliveryCounts(3, 0, 0), []).Next;

        var again = Complete(imported, 1, new DeliveryCounts(9, 9, 9), []);

        Assert.Null(again.Error);
        Assert.Empty(again.Events);
        Assert.Same(imported, again.Next);
    }

    [Fact]
    public void Complete_OfAnEarlierRunOrOfNone_IsRefused()
    {
        var second = Begin(Begin(null));

        Assert.Equal("DELIVERY_OVERTAKEN", Complete(second, 1, default, []).Error?.Reason);
        Assert.Equal("NOT_FOUND", Complete(null, 1, default, []).Error?.Reason);
    }

    [Fact]
    public void Complete_WithManyErrors_KeepsTheFirst()
    {
        var done = Complete(
            Begin(null), 1, new DeliveryCounts(0, 0, 500), [.. Enumerable.Range(1, 500).Reverse().Select(Error)]).Next!;

        Assert.Equal(Enumerable.Range(1, DeliveryRules.ErrorsMax), done.Errors.Select(error => error.Line));
    }

    private static Delivery Begin(Delivery? current) => DeliveryRules.Begin(current, TenantId.Default, Id, Now).Next!;

    private static Decision<Delivery?> Complete(
        Delivery? current, int run, DeliveryCounts counts, ImmutableArray<DeliveryLineError> errors) =>
        DeliveryRules.Complete(current, Id, run, counts, errors, Now.AddMinutes(1));

    private static DeliveryLineError Error(int line) => new(line, "B8A44F000001", "model", "DELIVERY_LINE_INVALID", "is required");
}
