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

    /// <summary>What several partitions counted, together; the largest groups first.</summary>
    public static RowCounts Sum(IReadOnlyCollection<RowCounts> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var groups = new Dictionary<RowGroupKey, long>();
        foreach (var group in parts.SelectMany(part => part.Groups))
        {
            var key = RowGroupKey.Of(group.Values);
            groups[key] = groups.GetValueOrDefault(key) + group.Count;
        }

        return new RowCounts(
            parts.Sum(part => part.Total),
            [
                .. groups.OrderByDescending(group => group.Value)
                    .ThenBy(group => string.Join('\n', group.Key.Values), StringComparer.Ordinal)
                    .Select(group => new RowGroup(group.Key.Values, group.Value)),
            ],
            parts.FirstOrDefault(part => part.Error is not null)?.Error);
    }
}

/// <summary>One group of a count.</summary>
/// <param name="Values">The values that its rows have in the fields of the grouping, as the API writes them; empty for none.</param>
/// <param name="Count">How many rows, at least one.</param>
[GenerateSerializer, Immutable, Alias("muster.row-group")]
public sealed record RowGroup([property: Id(0)] ImmutableArray<string> Values, [property: Id(1)] long Count);

/// <summary>The values of a group, compared one by one.</summary>
public readonly struct RowGroupKey : IEquatable<RowGroupKey>
{
    private RowGroupKey(ImmutableArray<string> values) => Values = values;

    public ImmutableArray<string> Values { get; }

    public static RowGroupKey Of(ImmutableArray<string> values) => new(values);

    public bool Equals(RowGroupKey other) => Values.AsSpan().SequenceEqual(other.Values.AsSpan());

    public override bool Equals(object? obj) => obj is RowGroupKey other && Equals(other);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var value in Values)
        {
            hash.Add(value, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }

    public static bool operator ==(RowGroupKey left, RowGroupKey right) => left.Equals(right);

    public static bool operator !=(RowGroupKey left, RowGroupKey right) => !left.Equals(right);
}
