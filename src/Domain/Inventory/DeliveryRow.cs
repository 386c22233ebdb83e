using Muster.Domain.Deliveries;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a delivery.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery-row")]
public sealed record DeliveryRow : InventoryRow
{
    [Id(0)] public required DeliveryState State { get; init; }

    [Id(1)] public required DateTimeOffset BegunAt { get; init; }

    [Id(2)] public required DateTimeOffset? EndedAt { get; init; }

    [Id(3)] public required DeliveryCounts Counts { get; init; }

    public override FieldValue Field(string name, string key) => name == "name" ? FieldValue.Of(Name) : FieldValue.None;

    /// <summary>The row of a delivery as it is.</summary>
    public static DeliveryRow Of(Delivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        return new DeliveryRow
        {
            Tenant = delivery.Tenant,
            Name = delivery.Id.Value,
            State = delivery.State,
            BegunAt = delivery.BegunAt,
            EndedAt = delivery.EndedAt,
            Counts = delivery.Counts,
        };
    }
}
