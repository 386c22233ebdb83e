using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Finds the first rows of an order behind a place in it, looking at each row once.</summary>
internal sealed class PageReader(DeviceColumns columns, RowTest test, InventoryOrder order, DateTimeOffset now) : IComparer<int>
{
    private readonly RowKey[] _keys = [.. order.Keys.Select(key => RowKey.Of(key, columns, now))];
    private readonly TextColumn _name = columns.Text(new FieldPath(InventoryFields.Device[0], ""))!;
    private string _worst = "";

    /// <summary>
    /// At most <paramref name="rowsMax"/> rows that match, in order, behind the row that had <paramref name="afterKeys"/> and
    /// <paramref name="afterName"/>; from the start when that is empty.
    /// </summary>
    public List<int> Read(ImmutableArray<FieldValue> afterKeys, string afterName, int rowsMax) => _keys.Length == 0
        ? ReadByName(afterName, rowsMax)
        : ReadByKeys(afterKeys, afterName, rowsMax);

    /// <summary>The values of a row that decide its place.</summary>
    public ImmutableArray<FieldValue> KeysOf(int row) => [.. _keys.Select(key => key.ValueOf(row))];

    public int Compare(int x, int y)
    {
        foreach (var key in _keys)
        {
            var order = key.Compare(x, y);
            if (order != 0)
            {
                return order;
            }
        }

        return CompareNames(x, columns.NameOf(y));
    }

    private List<int> ReadByName(string after, int rowsMax)
    {
        var rows = new List<int>(Math.Min(rowsMax, 64));
        var byName = columns.ByName();
        for (var i = after.Length == 0 ? 0 : FirstAbove(byName, after); i < byName.Length && rows.Count < rowsMax; i++)
        {
            if (test.Takes(byName[i]))
            {
                rows.Add(byName[i]);
            }
        }

        return rows;
    }

    private List<int> ReadByKeys(ImmutableArray<FieldValue> afterKeys, string afterName, int rowsMax)
    {
        // The worst of the best so far is on top.
        var best = new PriorityQueue<int, int>(Comparer<int>.Create((left, right) => Compare(right, left)));
        var isPlaceCheap = _keys[0].IsCheap;
        for (var row = 0; row < columns.Count; row++)
        {
            // Most rows are out of the page's range: where that is cheap to see, they need not pass the filter first.
            if ((isPlaceCheap && !IsInRange(row)) || !test.Takes(row) || (!isPlaceCheap && !IsInRange(row)))
            {
                continue;
            }

            if (best.Count < rowsMax)
            {
                best.Enqueue(row, row);
            }
            else
            {
                best.DequeueEnqueue(row, row);
            }

            if (best.Count == rowsMax)
            {
                Remember(best.Peek());
            }
        }

        var rows = best.UnorderedItems.Select(item => item.Element).ToList();
        rows.Sort(this);
        return rows;

        bool IsInRange(int row) =>
            (best.Count < rowsMax || CompareToWorst(row) < 0) && (afterName.Length == 0 || CompareToPlace(row, afterKeys, afterName) > 0);
    }

    private void Remember(int worst)
    {
        _worst = columns.NameOf(worst);
        foreach (var key in _keys)
        {
            key.Remember(worst);
        }
    }

    private int CompareToWorst(int row)
    {
        foreach (var key in _keys)
        {
            var order = key.CompareToRemembered(row);
            if (order != 0)
            {
                return order;
            }
        }

        return CompareNames(row, _worst);
    }

    private int CompareToPlace(int row, ImmutableArray<FieldValue> keys, string name)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            var order = _keys[i].CompareTo(row, keys[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return CompareNames(row, name);
    }

    private int CompareNames(int row, string name)
    {
        Span<char> room = stackalloc char[Domain.Devices.DeviceId.LengthMax];
        return _name.Read(row, room).SequenceCompareTo(name);
    }

    private int FirstAbove(ReadOnlySpan<int> byName, string after)
    {
        var (low, high) = (0, byName.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (CompareNames(byName[middle], after) <= 0)
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
