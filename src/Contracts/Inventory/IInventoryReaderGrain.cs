using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Inventory;

/// <summary>
/// All partitions in one question. A silo asks them, most of which are beside it, and answers with what the caller wants to see: a page of
/// fifty rows is fifty rows on the way to the gateway, and not some of each partition. Nothing is stored. Key: 0.
/// </summary>
[GrainInterfaceType("muster.inventory-reader"), Alias("muster.IInventoryReaderGrain"), Version(1)]
public interface IInventoryReaderGrain : IGrainWithIntegerKey
{
    /// <summary>The first rows of all partitions that match, in the query's order.</summary>
    [Alias("List"), ResponseTimeout(CallTimeouts.Commit), AlwaysInterleave]
    Task<PageOfAll> ListAsync(RowQuery query);

    /// <summary>How many rows of all partitions match, by the values of <paramref name="groupBy"/>; the largest groups first.</summary>
    [Alias("Count"), ResponseTimeout(CallTimeouts.Commit), AlwaysInterleave]
    Task<CountsOfAll> CountAsync(RowQuery query, string groupBy);
}

/// <summary>A page of all partitions.</summary>
/// <param name="Page">Not to be used unless all have answered.</param>
/// <param name="Answered">How many partitions have answered in time; one that is read from the store does not.</param>
[GenerateSerializer, Immutable, Alias("muster.page-of-all")]
public sealed record PageOfAll([property: Id(0)] RowPage Page, [property: Id(1)] int Answered);

/// <summary>A count over all partitions.</summary>
/// <param name="Counts">Not to be used unless all have answered.</param>
/// <param name="Answered">How many partitions have answered in time; one that is read from the store does not.</param>
[GenerateSerializer, Immutable, Alias("muster.counts-of-all")]
public sealed record CountsOfAll([property: Id(0)] RowCounts Counts, [property: Id(1)] int Answered)
{
    /// <summary>A partition has more than <see cref="RowCounts.GroupsMax"/> groups.</summary>
    [Id(2)] public bool HasTooMany { get; init; }
}
