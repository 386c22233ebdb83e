using Muster.Domain.Warranty;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a device's warranty.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-row")]
public sealed record WarrantyRow : InventoryRow
{
    [Id(0)] public required WarrantyTerm Term { get; init; }

    [Id(1)] public required WarrantyReviewState Review { get; init; }

    public override string? Field(string field) => field switch
    {
        "name" => Name,
        "review" => Review.ToString(),
        _ => null,
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
