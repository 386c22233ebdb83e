using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>One key of an order over columns: says of row numbers what <see cref="OrderKey.Compare"/> says of values.</summary>
internal abstract class RowKey
{
    public abstract int Compare(int left, int right);

    /// <summary>Compares a row with a value, which may be of a row that is not here.</summary>
    public abstract int CompareTo(int row, FieldValue value);

    public abstract FieldValue ValueOf(int row);

    public static RowKey Of(OrderKey key, DeviceColumns columns, DateTimeOffset now)
    {
        var path = key.Path;
        RowKey ascending = InventoryFields.IsPresence(path.Field.Name)
            ? new NumberKey(row => PresenceEntry.Field(columns.PresenceOf(row), path.Field.Name, now).Number)
            : path.Field.Type is not (FieldType.Text or FieldType.Version or FieldType.Map)
                ? new NumberKey(columns.Number(path)!.Get)
                : columns.Text(path) is not { } text
                    ? new NumberKey(_ => FieldValue.NoNumber)
                    : text.IsPacked ? new TextKey(path.Field.Type, text) : new CodedKey(path.Field.Type, text);
        return key.IsDescending ? new Descending(ascending) : ascending;
    }

    private sealed class Descending(RowKey key) : RowKey
    {
        public override int Compare(int left, int right) => -key.Compare(left, right);

        public override int CompareTo(int row, FieldValue value) => -key.CompareTo(row, value);

        public override FieldValue ValueOf(int row) => key.ValueOf(row);
    }

    private sealed class NumberKey(Func<int, long> get) : RowKey
    {
        public override int Compare(int left, int right) => get(left).CompareTo(get(right));

        public override int CompareTo(int row, FieldValue value) => get(row).CompareTo(value.Number);

        public override FieldValue ValueOf(int row) => FieldValue.Of(get(row));
    }

    /// <summary>Text that most rows have of their own.</summary>
    private sealed class TextKey(FieldType type, TextColumn column) : RowKey
    {
        public override int Compare(int left, int right)
        {
            if (type == FieldType.Version)
            {
                return FieldValue.Compare(type, ValueOf(left), ValueOf(right));
            }

            Span<char> room = stackalloc char[2 * DeviceId.LengthMax];
            return column.Read(left, room[..DeviceId.LengthMax]).SequenceCompareTo(column.Read(right, room[DeviceId.LengthMax..]));
        }

        public override int CompareTo(int row, FieldValue value)
        {
            if (type == FieldType.Version)
            {
                return FieldValue.Compare(type, ValueOf(row), value);
            }

            Span<char> room = stackalloc char[DeviceId.LengthMax];
            return column.Read(row, room).SequenceCompareTo(value.Text ?? "");
        }

        public override FieldValue ValueOf(int row) => FieldValue.Of(column.Get(row));
    }

    /// <summary>Few different texts: put in order once, and then compared by their places.</summary>
    private sealed class CodedKey : RowKey
    {
        private const sbyte Unknown = sbyte.MinValue;

        private readonly FieldType _type;
        private readonly TextColumn _column;
        private readonly int[] _places;
        private readonly sbyte[] _toValue;
        private FieldValue _value = FieldValue.None;

        public CodedKey(FieldType type, TextColumn column)
        {
            (_type, _column) = (type, column);
            var values = column.Values;
            var codes = Enumerable.Range(0, values.Count).ToArray();
            Array.Sort(codes, (left, right) => CompareCodes(left, right));
            _places = new int[codes.Length];
            _toValue = new sbyte[codes.Length];
            Array.Fill(_toValue, Unknown);
            for (var i = 1; i < codes.Length; i++)
            {
                // Versions that are written differently can be equal: they share a place.
                _places[codes[i]] = _places[codes[i - 1]] + (CompareCodes(codes[i - 1], codes[i]) == 0 ? 0 : 1);
            }
        }

        public override int Compare(int left, int right) =>
            _places[_column.CodeOf(left)].CompareTo(_places[_column.CodeOf(right)]);

        public override int CompareTo(int row, FieldValue value)
        {
            if (value != _value)
            {
                _value = value;
                Array.Fill(_toValue, Unknown);
            }

            var code = _column.CodeOf(row);
            if (_toValue[code] == Unknown)
            {
                _toValue[code] = (sbyte)Math.Sign(FieldValue.Compare(_type, FieldValue.Of(_column.Values[code]), value));
            }

            return _toValue[code];
        }

        public override FieldValue ValueOf(int row) => FieldValue.Of(_column.Get(row));

        private int CompareCodes(int left, int right) =>
            FieldValue.Compare(_type, FieldValue.Of(_column.Values[left]), FieldValue.Of(_column.Values[right]));
    }
}
