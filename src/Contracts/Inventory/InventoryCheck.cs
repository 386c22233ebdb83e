using Muster.Contracts.Commit;

namespace Muster.Contracts.Inventory;

/// <summary>Whether a partition's inventory is what its records say (I7), and its feed what they went through (I6).</summary>
/// <param name="Records">Read from the store.</param>
/// <param name="FeedEntries">Read from the feed: all that it still holds.</param>
/// <param name="Differences">How many there are; 0 is a partition in order.</param>
/// <param name="Examples">The first <see cref="ExamplesMax"/> of them, in words.</param>
[GenerateSerializer, Immutable, Alias("muster.inventory-check")]
public sealed record InventoryCheck(
    [property: Id(0)] long Records,
    [property: Id(1)] long FeedEntries,
    [property: Id(2)] long Differences,
    [property: Id(3)] ImmutableArray<string> Examples)
{
    /// <summary>Enough to see what kind of difference it is.</summary>
    public const int ExamplesMax = 20;

    /// <summary>The durable reader of the feed that is furthest behind; null when there is none.</summary>
    [Id(4)] public ReaderLag? SlowestReader { get; init; }
}
