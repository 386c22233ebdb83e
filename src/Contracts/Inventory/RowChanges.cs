using Muster.Contracts.Commit;

namespace Muster.Contracts.Inventory;

/// <summary>One row on its way to a watcher.</summary>
/// <param name="Partition">Whose row it is.</param>
/// <param name="Lineage">Of the numbers: a new one says that something may have been told to nobody before it.</param>
/// <param name="Number">Counts what this watcher was told in this lineage, from 1: what is missing was lost on the way.</param>
/// <param name="Row">As it is now.</param>
[GenerateSerializer, Immutable, Alias("muster.row-change")]
public sealed record RowChange(
    [property: Id(0)] int Partition, [property: Id(1)] Guid Lineage, [property: Id(2)] long Number, [property: Id(3)] ListedRow Row);

/// <summary>How far a watch is.</summary>
/// <param name="Position">Everything up to here was told, or is in the rows that are listed from now on.</param>
/// <param name="Lineage">Of the numbers of <see cref="RowChange"/>.</param>
/// <param name="Told">The number of the newest change.</param>
[GenerateSerializer, Immutable, Alias("muster.watch-reply")]
public sealed record WatchReply(
    [property: Id(0)] FeedPosition Position, [property: Id(1)] Guid Lineage, [property: Id(2)] long Told);

/// <summary>What a watcher missed in one partition.</summary>
/// <param name="Rows">As they are now.</param>
/// <param name="KnowsPresence">
/// False when the inventory was built later than the watcher asks for, or has forgotten devices since: who came and went before is not
/// known, and all rows have to be looked at.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.changed-rows")]
public sealed record ChangedRows([property: Id(0)] ImmutableArray<ListedRow> Rows, [property: Id(1)] bool KnowsPresence);

/// <summary>A page of what changed behind a position.</summary>
/// <param name="Rows">Those that match now.</param>
/// <param name="Others">The names of those that changed and do not.</param>
/// <param name="Next">Everything up to here was looked at.</param>
/// <param name="IsAtEnd">Whether nothing is known behind <paramref name="Next"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.changed-matches")]
public sealed record ChangedMatches(
    [property: Id(0)] ImmutableArray<ListedRow> Rows,
    [property: Id(1)] ImmutableArray<string> Others,
    [property: Id(2)] FeedPosition Next,
    [property: Id(3)] bool IsAtEnd);
