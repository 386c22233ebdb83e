using System.Buffers;
using System.Runtime.InteropServices;
using Muster.Contracts.Inventory;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Counts rows by the values of up to three fields.</summary>
internal sealed class GroupCounter(DeviceColumns columns, RowTest test, InventoryGrouping grouping, DateTimeOffset now)
{
    /// <summary>Up to here the counts stand in one array; it has 512 KiB and lives for one call.</summary>
    private const int DenseMax = 65_536;

    private readonly GroupAxis[] _axes = [.. grouping.Keys.Select(key => GroupAxis.Of(key, columns, now))];

    /// <summary>Groups beyond <see cref="RowCounts.GroupsMax"/> are left out; one more than that says so.</summary>
    public (long Total, GroupCells Cells) Count()
    {
        var rows = ArrayPool<int>.Shared.Rent(Math.Max(1, columns.Count));
        var places = ArrayPool<int>.Shared.Rent(rows.Length);
        var cells = ArrayPool<long>.Shared.Rent(rows.Length);
        try
        {
            for (var row = 0; row < columns.Count; row++)
            {
                rows[row] = row;
            }

            var kept = test.Keep(rows.AsSpan(0, columns.Count));
            return (kept, Tell(CellsOf(rows.AsSpan(0, kept), places.AsSpan(0, kept), cells.AsSpan(0, kept))));
        }
        finally
        {
            ArrayPool<int>.Shared.Return(rows);
            ArrayPool<int>.Shared.Return(places);
            ArrayPool<long>.Shared.Return(cells);
        }
    }

    /// <summary>The cells that have rows, and how many: a cell is the places of all fields in one number.</summary>
    private List<KeyValuePair<long, long>> CellsOf(ReadOnlySpan<int> rows, Span<int> places, Span<long> cells)
    {
        if (_axes.Length == 0)
        {
            return [];
        }

        cells.Clear();
        var size = 1L;
        foreach (var axis in _axes)
        {
            axis.PlacesOf(rows, places);
            size = checked(size * axis.Size);
            for (var i = 0; i < cells.Length; i++)
            {
                cells[i] = (cells[i] * axis.Size) + places[i];
            }
        }

        return size <= DenseMax ? CountDense(cells, (int)size) : CountSparse(cells);
    }

    private static List<KeyValuePair<long, long>> CountDense(ReadOnlySpan<long> cells, int size)
    {
        var counts = new long[size];
        foreach (var cell in cells)
        {
            counts[cell]++;
        }

        var found = new List<KeyValuePair<long, long>>();
        for (var cell = 0; cell < size && found.Count <= RowCounts.GroupsMax; cell++)
        {
            if (counts[cell] > 0)
            {
                found.Add(KeyValuePair.Create((long)cell, counts[cell]));
            }
        }

        return found;
    }

    private static List<KeyValuePair<long, long>> CountSparse(ReadOnlySpan<long> cells)
    {
        var counts = new Dictionary<long, long>();
        foreach (var cell in cells)
        {
            if (counts.TryGetValue(cell, out var count) || counts.Count <= RowCounts.GroupsMax)
            {
                counts[cell] = count + 1;
            }
        }

        return [.. counts];
    }

    /// <summary>The groups with the values that they need, each of them once.</summary>
    private GroupCells Tell(List<KeyValuePair<long, long>> cells)
    {
        var values = _axes.Select(_ => ImmutableArray.CreateBuilder<string>()).ToArray();
        var told = _axes.Select(axis => new int[axis.Size]).ToArray();
        var places = new int[cells.Count * _axes.Length];
        var counts = new long[cells.Count];
        for (var group = 0; group < cells.Count; group++)
        {
            (var cell, counts[group]) = cells[group];
            for (var field = _axes.Length - 1; field >= 0; field--)
            {
                var place = (int)(cell % _axes[field].Size);
                cell /= _axes[field].Size;
                if (told[field][place] == 0)
                {
                    values[field].Add(_axes[field].Show(place));
                    told[field][place] = values[field].Count;
                }

                places[(group * _axes.Length) + field] = told[field][place] - 1;
            }
        }

        return new GroupCells(
            [.. values.Select(field => field.ToImmutable())],
            ImmutableCollectionsMarshal.AsImmutableArray(places),
            ImmutableCollectionsMarshal.AsImmutableArray(counts));
    }
}
