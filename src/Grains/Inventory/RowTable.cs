using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>
/// The rows of one partition but for its devices, by tenant and kind in the order of their names. A change is applied only if its
/// version is newer, so that a scan and the feed may tell the same commit twice.
/// </summary>
internal sealed class RowTable
{
    private readonly Dictionary<(TenantId Tenant, string Kind), SortedList<string, ListedRow>> _rows = [];

    /// <summary>Takes what a commit left; null when something newer is known already.</summary>
    public ListedRow? Apply(RecordKey record, long version, InventoryRow row)
    {
        var list = (row.Tenant, record.Kind);
        if (!_rows.TryGetValue(list, out var rows))
        {
            _rows[list] = rows = new SortedList<string, ListedRow>(StringComparer.Ordinal);
        }

        if (rows.TryGetValue(row.Name, out var known) && known.Version >= version)
        {
            return null;
        }

        var changed = new ListedRow(record, version, row, null);
        rows[row.Name] = changed;
        return changed;
    }

    /// <summary>A page of the query.</summary>
    public RowPage List(RowQuery query, InventoryFilter filter, InventoryOrder order, DateTimeOffset now)
    {
        var matching = After(query, order.Keys.IsEmpty ? query.After : "").Where(row => filter.Matches(row.Row, now));
        if (!order.Keys.IsEmpty)
        {
            matching = matching.Select(row => row with { Keys = order.ValuesOf(row.Row) })
                .Where(row => query.After.Length == 0 || order.Compare(row.Keys, row.Row.Name, query.AfterKeys, query.After) > 0)
                .Order(Comparer<ListedRow>.Create((left, right) => order.Compare(left.Keys, left.Row.Name, right.Keys, right.Row.Name)));
        }

        ImmutableArray<ListedRow> rows = [.. matching.Take(query.RowsMax + 1)];
        return rows.Length > query.RowsMax ? new RowPage(rows[..query.RowsMax], false, null) : new RowPage(rows, true, null);
    }

    /// <summary>Rows by their records; those that do not match as left.</summary>
    public ImmutableArray<ListedRow> Find(RowQuery query, InventoryFilter filter, HashSet<RecordKey> records, DateTimeOffset now) =>
    [
        .. After(query, "").Where(row => records.Contains(row.Record))
            .Select(row => row with { HasLeft = !filter.Matches(row.Row, now) }),
    ];

    public RowCounts Count(RowQuery query, InventoryFilter filter, InventoryGrouping grouping, DateTimeOffset now)
    {
        var groups = After(query, "").Where(row => filter.Matches(row.Row, now))
            .Select(row => RowGroup.Of(
                [.. grouping.Keys.Select(key => key.Show(row.Row.Field(key.Path.Field.Name, key.Path.Key)))], 1))
            .GroupBy(row => row, RowGroup.ByValues)
            .Select(group => group.Key with { Count = group.LongCount() })
            .ToList();
        return new RowCounts(
            groups.Sum(group => group.Count), grouping.Keys.IsEmpty ? [] : [.. groups.Take(RowCounts.GroupsMax + 1)], null);
    }

    /// <summary>Tells those who watch what is not as it was before: of rows that are gone, that they left.</summary>
    public void TellDifferences(RowTable before, RowWatches watches, DateTimeOffset now)
    {
        foreach (var list in _rows.Keys.Union(before._rows.Keys))
        {
            var shown = _rows.GetValueOrDefault(list) ?? [];
            var known = before._rows.GetValueOrDefault(list) ?? [];
            var fields = new RowQuery(list.Tenant, list.Kind, "", "", 1).Fields;
            foreach (var row in shown.Values.Where(row => Differs(row, known.GetValueOrDefault(row.Row.Name))))
            {
                watches.Tell(row, now);
            }

            foreach (var gone in known.Values.Where(row => !shown.ContainsKey(row.Row.Name)))
            {
                watches.TellGone(gone, now);
            }

            bool Differs(ListedRow row, ListedRow? earlier) => row.Version != earlier?.Version
                || fields.Any(field => row.Field(field.Name, "") != earlier.Field(field.Name, ""));
        }
    }

    /// <summary>What is not as in the other, in words.</summary>
    public IEnumerable<string> DifferencesTo(RowTable fold)
    {
        foreach (var list in _rows.Keys.Union(fold._rows.Keys))
        {
            var shown = _rows.GetValueOrDefault(list) ?? [];
            var told = fold._rows.GetValueOrDefault(list) ?? [];
            var fields = new RowQuery(list.Tenant, list.Kind, "", "", 1).Fields;
            foreach (var name in shown.Keys.Union(told.Keys, StringComparer.Ordinal))
            {
                var (here, there) = (shown.GetValueOrDefault(name), told.GetValueOrDefault(name));
                if (here?.Version != there?.Version)
                {
                    yield return $"{list.Kind}/{list.Tenant}/{name} is shown at version {here?.Version ?? 0}, its record is at "
                        + $"{there?.Version ?? 0}.";
                    continue;
                }

                foreach (var field in fields.Where(field => here!.Field(field.Name, "") != there!.Field(field.Name, "")))
                {
                    yield return $"{list.Kind}/{list.Tenant}/{name}: {field.Name} is not what its record says.";
                }
            }
        }
    }

    private IEnumerable<ListedRow> After(RowQuery query, string after)
    {
        if (!_rows.TryGetValue((query.Tenant, query.Kind), out var rows))
        {
            yield break;
        }

        for (var i = FirstAbove(rows.Keys, after); i < rows.Count; i++)
        {
            yield return rows.GetValueAtIndex(i);
        }
    }

    private static int FirstAbove(IList<string> names, string after)
    {
        var (low, high) = (0, names.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(names[middle], after) <= 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
