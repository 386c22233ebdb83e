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
                    cell = (cell * axis.Size) + (int)axis.PlaceOf(row);
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
                groups.Add(RowGroup.Of(ValuesOf(cell), counts[cell]));
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
        var counts = new Dictionary<(long, long, long), long>();
        var total = 0L;
        for (var row = 0; row < columns.Count; row++)
        {
            if (!test.Takes(row))
            {
                continue;
            }

            total++;
            var key = (_axes[0].PlaceOf(row), PlaceOf(1, row), PlaceOf(2, row));
            if (counts.TryGetValue(key, out var count) || counts.Count <= RowCounts.GroupsMax)
            {
                counts[key] = count + 1;
            }
        }

        return new RowCounts(total, [.. counts.Select(group => RowGroup.Of(Show(group.Key), group.Value))], null);
    }

    private long PlaceOf(int axis, int row) => axis < _axes.Length ? _axes[axis].PlaceOf(row) : 0;

    private ImmutableArray<string> Show((long First, long Second, long Third) key)
    {
        long[] places = [key.First, key.Second, key.Third];
        return [.. _axes.Select((axis, index) => axis.Show(places[index]))];
    }

    /// <summary>One field's groups in this table, each with a number.</summary>
    private abstract class Axis
    {
        /// <summary>How many groups there can be; more than <see cref="DenseMax"/> when nobody knows.</summary>
        public virtual int Size => DenseMax + 1;

        public abstract long PlaceOf(int row);

        public abstract string Show(long place);

        public static Axis Of(GroupKey key, DeviceColumns columns, DateTimeOffset now)
        {
            if (key.Path.Field.Type is FieldType.Text or FieldType.Version or FieldType.Map)
            {
                return columns.Text(key.Path) switch
                {
                    null => new Texts(_ => ""),
                    { IsPacked: true } packed => new Texts(packed.Get),
                    var coded => new Coded(coded),
                };
            }

            var column = columns.Number(key.Path);
            Func<int, long> get = column is null
                ? row => PresenceEntry.Field(columns.PresenceOf(row), key.Path.Field.Name, now).Number
                : column.Get;
            return key.Path.Field.Type == FieldType.Choice ? new Choice(key.Path.Field, get) : new Numbers(key, get);
        }
    }

    private sealed class Coded(TextColumn column) : Axis
    {
        public override int Size => column.Values.Count;

        public override long PlaceOf(int row) => column.CodeOf(row);

        public override string Show(long place) => column.Values[(int)place];
    }

    private sealed class Choice(InventoryField choices, Func<int, long> get) : Axis
    {
        public override int Size => choices.Values.Length;

        public override long PlaceOf(int row) => get(row);

        public override string Show(long place) => choices.Values[(int)place];
    }

    /// <summary>Text that most rows have of their own: numbered as it comes.</summary>
    private sealed class Texts(Func<int, string> get) : Axis
    {
        private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
        private readonly List<string> _texts = [];

        public override long PlaceOf(int row)
        {
            var text = get(row);
            if (!_places.TryGetValue(text, out var place))
            {
                _places[text] = place = _texts.Count;
                _texts.Add(text);
            }

            return place;
        }

        public override string Show(long place) => _texts[(int)place];
    }

    /// <summary>Numbers, and instants by their unit: the group is the number that its first value has.</summary>
    private sealed class Numbers(GroupKey key, Func<int, long> get) : Axis
    {
        public override long PlaceOf(int row) => key.FirstOf(get(row));

        public override string Show(long place) => key.Show(FieldValue.Of(place));
    }
}
