using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// One key of an order over columns: says of row numbers what <see cref="OrderKey.Compare"/> says of values. Most keys give each row a
/// rank, a number whose order is the order of the values; only text that most rows have of their own is compared itself.
/// </summary>
internal abstract class RowKey
{
    /// <summary>Whether there are ranks: comparing them costs less than most filters do.</summary>
    public virtual bool IsRanked => true;

    /// <summary>Greater for what comes later; only while <see cref="IsRanked"/>.</summary>
    public virtual long RankOf(int row) => throw new UnreachableException("The key has no ranks.");

    /// <summary>The rank of a value, which may be of a row that is not here; only while <see cref="IsRanked"/>.</summary>
    public virtual long RankOf(FieldValue value) => throw new UnreachableException("The key has no ranks.");

    /// <summary>The ranks of many rows; only while <see cref="IsRanked"/>.</summary>
    public virtual void RanksOf(ReadOnlySpan<int> rows, Span<long> ranks)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            ranks[i] = RankOf(rows[i]);
        }
    }

    public virtual int Compare(int left, int right) => RankOf(left).CompareTo(RankOf(right));

    /// <summary>Compares a row with a value, which may be of a row that is not here.</summary>
    public virtual int CompareTo(int row, FieldValue value) => RankOf(row).CompareTo(RankOf(value));

    public abstract FieldValue ValueOf(int row);

    public static RowKey Of(OrderKey key, DeviceColumns columns, DateTimeOffset now)
    {
        var path = key.Path;
        RowKey ascending = InventoryFields.IsPresence(path.Field.Name)
            ? new PresenceKey(path.Field.Name, columns, now)
            : path.Field.Type is not (FieldType.Text or FieldType.Version or FieldType.Map)
                ? new NumberKey(columns.Number(path)!)
                : columns.Text(path) is not { } text
                    ? new Same()
                    : text.IsPacked ? new TextKey(path.Field.Type, text) : new CodedKey(path.Field.Type, text);
        return key.IsDescending ? new Descending(ascending) : ascending;
    }

    private sealed class Descending(RowKey key) : RowKey
    {
        public override bool IsRanked => key.IsRanked;

        // The complement turns the order round and, unlike the negative, exists of every number.
        public override long RankOf(int row) => ~key.RankOf(row);

        public override long RankOf(FieldValue value) => ~key.RankOf(value);

        public override void RanksOf(ReadOnlySpan<int> rows, Span<long> ranks)
        {
            key.RanksOf(rows, ranks);
            for (var i = 0; i < rows.Length; i++)
            {
                ranks[i] = ~ranks[i];
            }
        }

        public override int Compare(int left, int right) => -key.Compare(left, right);

        public override int CompareTo(int row, FieldValue value) => -key.CompareTo(row, value);

        public override FieldValue ValueOf(int row) => key.ValueOf(row);
    }

    private sealed class NumberKey(NumberColumn column) : RowKey
    {
        public override long RankOf(int row) => column.Get(row);

        public override long RankOf(FieldValue value) => value.Number;

        public override void RanksOf(ReadOnlySpan<int> rows, Span<long> ranks) => column.Read(rows, ranks);

        public override FieldValue ValueOf(int row) => FieldValue.Of(column.Get(row));
    }

    private sealed class PresenceKey(string field, DeviceColumns columns, DateTimeOffset now) : RowKey
    {
        public override long RankOf(int row) => PresenceEntry.Field(columns.PresenceOf(row), field, now).Number;

        public override long RankOf(FieldValue value) => value.Number;

        public override FieldValue ValueOf(int row) => FieldValue.Of(RankOf(row));
    }

    /// <summary>A label or setting that no device of this table has: all rows are as if they had no value.</summary>
    private sealed class Same : RowKey
    {
        public override long RankOf(int row) => 0;

        public override long RankOf(FieldValue value) => string.IsNullOrEmpty(value.Text) ? 0 : 1;

        public override FieldValue ValueOf(int row) => FieldValue.None;
    }

    /// <summary>Text that most rows have of their own.</summary>
    private sealed class TextKey(FieldType type, TextColumn column) : RowKey
    {
        public override bool IsRanked => false;

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
    private sealed class CodedKey(FieldType type, TextColumn column) : RowKey
    {
        private readonly ValueOrder _order = column.OrderOf(type);

        // Even numbers are values that there are; the odd ones between them are left for those that only other tables have.
        public override long RankOf(int row) => 2L * _order.Places[column.CodeOf(row)];

        public override long RankOf(FieldValue value)
        {
            var (place, isHere) = _order.Find(column.Values, value);
            return isHere ? 2L * place : (2L * place) + 1;
        }

        public override void RanksOf(ReadOnlySpan<int> rows, Span<long> ranks)
        {
            var places = _order.Places;
            for (var i = 0; i < rows.Length; i++)
            {
                ranks[i] = 2L * places[column.CodeOf(rows[i])];
            }
        }

        public override FieldValue ValueOf(int row) => FieldValue.Of(column.Get(row));
    }
}
