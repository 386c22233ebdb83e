using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>
/// The rows of one partition by tenant and kind in the order of their names, and the records that name a date. A change is
/// applied only if its version is newer, so that a scan and the feed may tell the same commit twice.
/// </summary>
internal sealed class RowTable
{
    private readonly Dictionary<RecordKey, (long Version, DateTimeOffset? DueAt)> _versions = [];
    private readonly Dictionary<(TenantId Tenant, string Kind), SortedList<string, ListedRow>> _rows = [];
    private readonly SortedSet<(DateTimeOffset At, string Kind, string Key)> _due = [];

    /// <summary>Takes what a commit left; null when something newer is known already.</summary>
    public ListedRow? Apply(RecordKey record, long version, InventoryRow? row, DateTimeOffset? dueAt)
    {
        if (_versions.TryGetValue(record, out var known))
        {
            if (known.Version >= version)
            {
                return null;
            }

            if (known.DueAt is { } before)
            {
                _due.Remove((before, record.Kind, record.Key));
            }
        }

        _versions[record] = (version, dueAt);
        if (dueAt is { } at)
        {
            _due.Add((at, record.Kind, record.Key));
        }

        return row is null ? null : Put(new ListedRow(record, version, row, null));
    }

    /// <summary>The rows of a tenant and kind whose names are above <paramref name="after"/>, in the order of their names.</summary>
    public IEnumerable<ListedRow> After(TenantId tenant, string kind, string after)
    {
        if (!_rows.TryGetValue((tenant, kind), out var rows))
        {
            yield break;
        }

        for (var i = FirstAbove(rows.Keys, after); i < rows.Count; i++)
        {
            yield return rows.GetValueAtIndex(i);
        }
    }

    /// <summary>The records whose date is not after <paramref name="now"/>, earliest first, and the first date after them.</summary>
    public DueRecords DueBy(DateTimeOffset now, int recordsMax)
    {
        var records = ImmutableArray.CreateBuilder<RecordKey>();
        foreach (var (at, kind, key) in _due)
        {
            if (at > now || records.Count == recordsMax)
            {
                return new DueRecords(records.ToImmutable(), at);
            }

            records.Add(new RecordKey(kind, key));
        }

        return new DueRecords(records.ToImmutable(), null);
    }

    private ListedRow Put(ListedRow row)
    {
        var list = (row.Row.Tenant, row.Record.Kind);
        if (!_rows.TryGetValue(list, out var rows))
        {
            _rows[list] = rows = new SortedList<string, ListedRow>(StringComparer.Ordinal);
        }

        rows[row.Row.Name] = row;
        return row;
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
