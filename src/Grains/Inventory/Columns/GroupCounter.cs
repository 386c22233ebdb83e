using Muster.Contracts.Inventory;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Counts rows by the values of up to three fields.</summary>
internal sealed class GroupCounter(DeviceColumns columns, RowTest test, InventoryGrouping grouping, DateTimeOffset now)
{
    /// <summary>Up to here the counts stand in one array; it has 512 KiB and lives for one call.</summary>
    private const int DenseMax = 65_536;

    private readonly Axis[] _axes = [.. grouping.Keys.Select(key => Axis.Of(key, columns, now))];

    /// <summary>Groups beyond <see cref="RowCounts.GroupsMax"/> are left out; one more than that says so.</summary>
    public RowCounts Count()
    {
        if (_axes.Length == 0)
        {
            return new RowCounts(CountAll(), [], null);
        }

        var cells = 1L;
        foreach (var axis in _axes)
        {
            cells = Math.Min(cells * axis.Size, DenseMax + 1);
        }

        return cells <= DenseMax ? CountDense((int)cells) : CountSparse();
    }

    private long CountAll()
    {
        var total = 0L;
        for (var row = 0; row < columns.Count; row++)
        {
            total += test.Takes(row) ? 1 : 0;
        }

        return total;
    }

    private RowCounts CountDense(int cells)
    {
        var counts = new long[cells];
        var total = 0L;
        for (var row = 0; row < columns.Count; row++)
        {
            if (test.Takes(row))
            {
                var cell = 0;
                foreach (var axis in _axes)
                {
                    cell = (cell * axis.Size) + axis.PlaceOf(row);
                }

                counts[cell]++;
                total++;
            }
        }

        var groups = ImmutableArray.CreateBuilder<RowGroup>();
        for (var cell = 0; cell < cells && groups.Count <= RowCounts.GroupsMax; cell++)
        {
            if (counts[cell] > 0)
            {
                groups.Add(new RowGroup(ValuesOf(cell), counts[cell]));
            }
        }

        return new RowCounts(total, groups.ToImmutable(), null);
    }

    private ImmutableArray<string> ValuesOf(int cell)
    {
        var values = new string[_axes.Length];
        for (var i = _axes.Length - 1; i >= 0; i--)
        {
            values[i] = _axes[i].Show(cell % _axes[i].Size);
            cell /= _axes[i].Size;
        }

        return [.. values];
    }

    private RowCounts CountSparse()
    {
        var counts = new Dictionary<RowGroupKey, long>();
        var total = 0L;
        for (var row = 0; row < columns.Count; row++)
        {
            if (!test.Takes(row))
            {
                continue;
            }

            total++;
            var key = RowGroupKey.Of([.. _axes.Select(axis => axis.ShowRow(row))]);
            if (counts.TryGetValue(key, out var count) || counts.Count <= RowCounts.GroupsMax)
            {
                counts[key] = count + 1;
            }
        }

        return new RowCounts(total, [.. counts.Select(group => new RowGroup(group.Key.Values, group.Value))], null);
    }

    /// <summary>One field's groups in this table.</summary>
    private abstract class Axis
    {
        /// <summary>How many groups there can be; more than <see cref="DenseMax"/> when nobody knows.</summary>
        public virtual int Size => DenseMax + 1;

        public virtual int PlaceOf(int row) => throw new UnreachableException("A field without places was counted by place.");

        public virtual string Show(int place) => throw new UnreachableException("A field without places was counted by place.");

        public abstract string ShowRow(int row);

        public static Axis Of(GroupKey key, DeviceColumns columns, DateTimeOffset now)
        {
            if (columns.Text(key.Path) is { } text)
            {
                return text.IsPacked ? new Shown(text.Get) : new Coded(text);
            }

            if (key.Path.Field.Type is FieldType.Map)
            {
                return new Shown(_ => "");
            }

            var column = columns.Number(key.Path);
            Func<int, FieldValue> get = column is null
                ? row => PresenceEntry.Field(columns.PresenceOf(row), key.Path.Field.Name, now)
                : row => FieldValue.Of(column.Get(row));
            return key.Path.Field.Type == FieldType.Choice ? new Choice(key.Path.Field, get) : new Shown(row => key.Show(get(row)));
        }
    }

    private sealed class Coded(TextColumn column) : Axis
    {
        public override int Size => column.Values.Count;

        public override int PlaceOf(int row) => column.CodeOf(row);

        public override string Show(int place) => column.Values[place];

        public override string ShowRow(int row) => column.Get(row);
    }

    private sealed class Choice(InventoryField choices, Func<int, FieldValue> get) : Axis
    {
        public override int Size => choices.Values.Length;

        public override int PlaceOf(int row) => (int)get(row).Number;

        public override string Show(int place) => choices.Values[place];

        public override string ShowRow(int row) => choices.Show(get(row));
    }

    private sealed class Shown(Func<int, string> show) : Axis
    {
        public override string ShowRow(int row) => show(row);
    }
}
