using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Finds the first rows of an order behind a place in it, looking at each row once.</summary>
internal sealed class PageReader(DeviceColumns columns, RowTest test, InventoryOrder order, DateTimeOffset now) : IComparer<int>
{
    /// <summary>Rows that are looked at together: few enough for the stack, and for an early page to cut the rest short.</summary>
    private const int BlockRows = 256;

    private readonly RowKey[] _keys = [.. order.Keys.Select(key => RowKey.Of(key, columns, now))];
    private readonly TextColumn _name = columns.Text(new FieldPath(InventoryFields.Device[0], ""))!;

    /// <summary>
    /// At most <paramref name="rowsMax"/> rows that match, in order, behind the row that had <paramref name="afterKeys"/> and
    /// <paramref name="afterName"/>; from the start when that is empty.
    /// </summary>
    public List<int> Read(ImmutableArray<FieldValue> afterKeys, string afterName, int rowsMax) => _keys.Length == 0
        ? ReadByName(afterName, rowsMax)
        : ReadByKeys(afterName.Length == 0 ? null : new Place(_keys, afterKeys, afterName), rowsMax);

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

    private List<int> ReadByKeys(Place? after, int rowsMax)
    {
        // The worst of the best so far is on top.
        var best = new PriorityQueue<int, int>(Comparer<int>.Create((left, right) => Compare(right, left)));
        var worst = new Place(_keys);
        Span<int> room = stackalloc int[BlockRows];
        for (var first = 0; first < columns.Count; first += BlockRows)
        {
            var block = room[..Math.Min(BlockRows, columns.Count - first)];
            for (var i = 0; i < block.Length; i++)
            {
                block[i] = first + i;
            }

            // Most rows are out of the page's reach, and where that is cheap to see, they need not pass the filter first.
            var reached = KeepInReach(block, after, best.Count == rowsMax ? worst : null);
            foreach (var row in block[..test.Keep(block[..reached])])
            {
                if ((after is not null && CompareTo(after, row) <= 0) || (best.Count == rowsMax && CompareTo(worst, row) >= 0))
                {
                    continue;
                }

                if (best.Count == rowsMax)
                {
                    best.Dequeue();
                }

                best.Enqueue(row, row);
                if (best.Count == rowsMax)
                {
                    worst.Set(columns, best.Peek());
                }
            }
        }

        var rows = best.UnorderedItems.Select(item => item.Element).ToList();
        rows.Sort(this);
        return rows;
    }

    /// <summary>Moves to the front the rows that the first key does not put before the page or behind what it holds already.</summary>
    private int KeepInReach(Span<int> rows, Place? after, Place? worst)
    {
        if (!_keys[0].IsRanked || (after is null && worst is null))
        {
            return rows.Length;
        }

        Span<long> ranks = stackalloc long[BlockRows];
        _keys[0].RanksOf(rows, ranks);
        var (low, high) = (after?.Ranks[0] ?? long.MinValue, worst?.Ranks[0] ?? long.MaxValue);
        var kept = 0;
        for (var i = 0; i < rows.Length; i++)
        {
            rows[kept] = rows[i];
            kept += ranks[i] >= low && ranks[i] <= high ? 1 : 0;
        }

        return kept;
    }

    /// <summary>Where a row is, seen from a place.</summary>
    private int CompareTo(Place place, int row)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            var order = _keys[i].IsRanked
                ? _keys[i].RankOf(row).CompareTo(place.Ranks[i])
                : _keys[i].CompareTo(row, place.Values[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return CompareNames(row, place.Name);
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

    /// <summary>A place in the order that many rows are compared with: ranks where a key has them, else its value.</summary>
    private sealed class Place(RowKey[] keys)
    {
        public Place(RowKey[] keys, ImmutableArray<FieldValue> values, string name)
            : this(keys)
        {
            Name = name;
            for (var i = 0; i < keys.Length; i++)
            {
                Values[i] = values[i];
                Ranks[i] = keys[i].IsRanked ? keys[i].RankOf(values[i]) : 0;
            }
        }

        public long[] Ranks { get; } = new long[keys.Length];

        public FieldValue[] Values { get; } = new FieldValue[keys.Length];

        public string Name { get; private set; } = "";

        public void Set(DeviceColumns columns, int row)
        {
            Name = columns.NameOf(row);
            for (var i = 0; i < keys.Length; i++)
            {
                if (keys[i].IsRanked)
                {
                    Ranks[i] = keys[i].RankOf(row);
                }
                else
                {
                    Values[i] = keys[i].ValueOf(row);
                }
            }
        }
    }
}
