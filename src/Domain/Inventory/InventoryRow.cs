namespace Muster.Domain.Inventory;

/// <summary>
/// What lists, filters and watches show of one record. Each kind of listed resource has one derived type; a row carries
/// all values it shows, so that a reader never has to go back to the record.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.inventory-row")]
public abstract record InventoryRow : IFieldSource
{
    /// <summary>The tenant that the resource belongs to.</summary>
    [Id(0)] public required TenantId Tenant { get; init; }

    /// <summary>The last segment of the resource's name; lists are ordered by it.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>
    /// The value of a filter field (snake case, <see cref="InventoryFields"/>); none when this kind of row has no such field.
    /// </summary>
    public abstract FieldValue Field(string name, string key);
}
