namespace Muster.Domain.Inventory;

/// <summary>A field as filters, orders and groupings name it: <c>state</c>, or with a key <c>labels.floor</c>.</summary>
/// <param name="Field">The field.</param>
/// <param name="Key">The key within a map; empty for every other field.</param>
public readonly record struct FieldPath(InventoryField Field, string Key)
{
    public override string ToString() => Key.Length == 0 ? Field.Name : $"{Field.Name}.{Key}";
}
