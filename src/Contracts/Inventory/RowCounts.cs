using System.IO.Hashing;
using System.Runtime.InteropServices;
using Muster.Domain;

namespace Muster.Contracts.Inventory;

/// <summary>How many rows there are.</summary>
/// <param name="Total">All that match.</param>
/// <param name="Groups">By value; <see cref="GroupsMax"/> + 1 of them say that there are more.</param>
/// <param name="Error">Set when the query cannot be read; then nothing was counted.</param>
[GenerateSerializer, Immutable, Alias("muster.row-counts")]
public sealed record RowCounts(
    [property: Id(0)] long Total,
    [property: Id(1)] ImmutableArray<RowGroup> Groups,
    [property: Id(2)] FleetError? Error)
{
    /// <summary>Of one partition: versions, sites or models of a fleet, two of them together; more are a list and not a count.</summary>
    public const int GroupsMax = 10_000;

    /// <summary>The groups as a table in place of <see cref="Groups"/>, for who takes it (<see cref="RowQuery.TakesCells"/>).</summary>
    [Id(3)] public GroupCells? Cells { get; init; }

    /// <summary>How many groups there are, in either form.</summary>
    public int GroupCount => Groups.Length + (Cells?.Counts.Length ?? 0);

    /// <summary>What several partitions counted, together; the largest groups first.</summary>
    public static RowCounts Sum(IReadOnlyCollection<RowCounts> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var groups = new Dictionary<RowGroup, long>(RowGroup.ByValues);
        var cells = GroupSum.Of([.. parts.Select(part => part.Cells).OfType<GroupCells>()]);
        foreach (var group in cells.Concat(parts.SelectMany(part => part.Groups)))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(groups, group, out _) += group.Count;
        }

        return new RowCounts(
            parts.Sum(part => part.Total),
            [
                .. groups.OrderByDescending(group => group.Value)
                    .ThenBy(group => string.Join('\n', group.Key.Values), StringComparer.Ordinal)
                    .Select(group => group.Key with { Count = group.Value }),
            ],
            parts.FirstOrDefault(part => part.Error is not null)?.Error);
    }
}

/// <summary>One group of a count.</summary>
/// <param name="Values">The values that its rows have in the fields of the grouping, as the API writes them; empty for none.</param>
/// <param name="Count">How many rows, at least one.</param>
/// <param name="Hash">Of the values: whoever sums up many partitions does not read all texts of each.</param>
[GenerateSerializer, Immutable, Alias("muster.row-group")]
public sealed record RowGroup(
    [property: Id(0)] ImmutableArray<string> Values, [property: Id(1)] long Count, [property: Id(2)] ulong Hash)
{
    /// <summary>Groups are the same when their values are.</summary>
    public static IEqualityComparer<RowGroup> ByValues { get; } = EqualityComparer<RowGroup>.Create(
        (left, right) => left is not null && right is not null && left.Hash == right.Hash
            && left.Values.AsSpan().SequenceEqual(right.Values.AsSpan()),
        group => group.Hash.GetHashCode());

    public static RowGroup Of(ImmutableArray<string> values, long count)
    {
        var hash = 0UL;
        foreach (var value in values)
        {
            hash = (hash * 31) + XxHash3.HashToUInt64(MemoryMarshal.AsBytes(value.AsSpan()));
        }

        return new RowGroup(values, count, hash);
    }
}
