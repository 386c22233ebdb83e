using Muster.Domain.Warranty;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a device's warranty.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-row")]
public sealed record WarrantyRow : InventoryRow
{
    [Id(0)] public required WarrantyTerm Term { get; init; }

    [Id(1)] public required WarrantyReviewState Review { get; init; }

    public override FieldValue Field(string name, string key) => name switch
    {
        "name" => FieldValue.Of(Name),
        "review" => FieldValue.Of((long)Review),
        _ => FieldValue.None,
    };

    /// <summary>The row of a warranty as it is.</summary>
    public static WarrantyRow Of(WarrantyCover cover)
    {
        ArgumentNullException.ThrowIfNull(cover);
        return new WarrantyRow
        {
            Tenant = cover.Tenant,
            Name = cover.Device.Value,
            Term = cover.Term,
            Review = cover.Review,
        };
    }
}
