namespace Muster.Contracts.Inventory;

/// <summary>
/// Groups of a count as a table: every value is written once, and a group is the places of its values. A partition has hundreds of groups
/// of the same few values, and 256 partitions answer one question.
/// </summary>
/// <param name="Values">By field, as the API writes them.</param>
/// <param name="Places">Of one group after the other: for each field the place of its value.</param>
/// <param name="Counts">Of the groups: how many rows, at least one.</param>
[GenerateSerializer, Immutable, Alias("muster.group-cells")]
public sealed record GroupCells(
    [property: Id(0)] ImmutableArray<ImmutableArray<string>> Values,
    [property: Id(1)] ImmutableArray<int> Places,
    [property: Id(2)] ImmutableArray<long> Counts);
