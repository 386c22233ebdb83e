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

    /// <summary>Whether comparing costs less than most filters do.</summary>
    public virtual bool IsCheap => true;

    /// <summary>Many rows will be compared with this one.</summary>
    public abstract void Remember(int row);

    public abstract int CompareToRemembered(int row);

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

        public override bool IsCheap => key.IsCheap;

        public override void Remember(int row) => key.Remember(row);

        public override int CompareToRemembered(int row) => -key.CompareToRemembered(row);
    }

    private sealed class NumberKey(Func<int, long> get) : RowKey
    {
        private long _remembered;

        public override int Compare(int left, int right) => get(left).CompareTo(get(right));

        public override int CompareTo(int row, FieldValue value) => get(row).CompareTo(value.Number);

        public override FieldValue ValueOf(int row) => FieldValue.Of(get(row));

        public override void Remember(int row) => _remembered = get(row);

        public override int CompareToRemembered(int row) => get(row).CompareTo(_remembered);
    }

    /// <summary>Text that most rows have of their own.</summary>
    private sealed class TextKey(FieldType type, TextColumn column) : RowKey
    {
        private int _remembered;

        public override bool IsCheap => false;

        public override void Remember(int row) => _remembered = row;

        public override int CompareToRemembered(int row) => Compare(row, _remembered);

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
        private int _remembered;

        public CodedKey(FieldType type, TextColumn column)
        {
            (_type, _column) = (type, column);
            _places = column.PlacesOf(type);
            _toValue = new sbyte[_places.Length];
            Array.Fill(_toValue, Unknown);
        }

        public override int Compare(int left, int right) =>
            _places[_column.CodeOf(left)].CompareTo(_places[_column.CodeOf(right)]);

        public override void Remember(int row) => _remembered = _places[_column.CodeOf(row)];

        public override int CompareToRemembered(int row) => _places[_column.CodeOf(row)].CompareTo(_remembered);

        public override int CompareTo(int row, FieldValue value)
        {
            if (!ReferenceEquals(value.Text, _value.Text))
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
    }
}
