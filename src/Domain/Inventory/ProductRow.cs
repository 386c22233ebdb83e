using Muster.Domain.EndOfSupport;

namespace Muster.Domain.Inventory;

/// <summary>What lists show of a product; its support status follows from the dates and the reader's clock.</summary>
[GenerateSerializer, Immutable, Alias("muster.product-row")]
public sealed record ProductRow : InventoryRow
{
    [Id(0)] public required ProductSpec Spec { get; init; }

    /// <summary>The campaign that the end of support opened; empty for none.</summary>
    [Id(1)] public required string Campaign { get; init; }

    public override FieldValue Field(string name, string key) => name == "name" ? FieldValue.Of(Name) : FieldValue.None;

    /// <summary>The row of a product as it is.</summary>
    public static ProductRow Of(Product product)
    {
        ArgumentNullException.ThrowIfNull(product);
        return new ProductRow
        {
            Tenant = product.Tenant,
            Name = product.Id.Value,
            Spec = product.Spec,
            Campaign = product.OpenCampaign,
        };
    }
}
