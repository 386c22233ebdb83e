using System.Collections.Concurrent;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>A question's texts, read.</summary>
internal sealed record ParsedQuery(InventoryFilter Filter, InventoryOrder Order, InventoryGrouping Grouping);

/// <summary>
/// The questions of late, read once for all partitions of a silo: a list asks each of them the same, and reading the texts would cost as
/// much as looking through some thousand rows.
/// </summary>
internal sealed class ParsedQueries
{
    /// <summary>Different questions at a time; a filter has at most 10 kB. Beyond it all are read again.</summary>
    public const int QueriesMax = 256;

    private readonly ConcurrentDictionary<(string Kind, string Filter, string OrderBy, string GroupBy), ParsedQuery> _known = new();
    private int _count;

    /// <summary>The query, or the first error in it; only what can be read is kept.</summary>
    public (ParsedQuery? Query, FleetError? Error) Read(RowQuery query, string groupBy)
    {
        var texts = (query.Kind, query.Filter, query.OrderBy, groupBy);
        if (_known.TryGetValue(texts, out var known))
        {
            return (known, null);
        }

        var (filter, filterError) = query.ReadFilter();
        var (order, orderError) = query.ReadOrder();
        var (grouping, groupingError) = InventoryGrouping.Parse(groupBy, query.Fields);
        if ((filterError ?? orderError ?? groupingError) is { } error)
        {
            return (null, error);
        }

        if (Interlocked.Increment(ref _count) > QueriesMax)
        {
            _known.Clear();
            Volatile.Write(ref _count, 1);
        }

        return (_known[texts] = new ParsedQuery(filter, order, grouping), null);
    }
}
