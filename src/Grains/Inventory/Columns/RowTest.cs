using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// A filter over columns: says of a row number what <see cref="FilterNode.Matches"/> says of the row. Compiled for one table and one
/// instant; void when the table got another label or setting (<see cref="DeviceColumns.MapKeys"/>).
/// </summary>
internal abstract class RowTest
{
    public abstract bool Takes(int row);

    public static RowTest Of(FilterNode node, DeviceColumns columns, DateTimeOffset now) => node switch
    {
        AllOf all => new All([.. all.Parts.Select(part => Of(part, columns, now))]),
        AnyOf any => new Any([.. any.Parts.Select(part => Of(part, columns, now))]),
        Not not => new Inverse(Of(not.Part, columns, now)),
        FieldTest test when InventoryFields.IsPresence(test.Path.Field.Name) => new PresenceTest(test, columns, now),
        FieldTest { IsText: true } test => columns.Text(test.Path) is { } column
            ? new TextTest(test, column)
            : new Constant(test.Takes("")),
        FieldTest test => new NumberTest(test, columns.Number(test.Path)!, test.LimitAt(now)),
        _ => throw new UnreachableException($"Unknown filter part {node.GetType().Name}."),
    };

    private sealed class All(RowTest[] parts) : RowTest
    {
        public override bool Takes(int row)
        {
            foreach (var part in parts)
            {
                if (!part.Takes(row))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private sealed class Any(RowTest[] parts) : RowTest
    {
        public override bool Takes(int row)
        {
            foreach (var part in parts)
            {
                if (part.Takes(row))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class Inverse(RowTest part) : RowTest
    {
        public override bool Takes(int row) => !part.Takes(row);
    }

    private sealed class Constant(bool verdict) : RowTest
    {
        public override bool Takes(int row) => verdict;
    }

    private sealed class NumberTest(FieldTest test, NumberColumn column, long limit) : RowTest
    {
        public override bool Takes(int row) => test.Takes(column.Get(row), limit);
    }

    /// <summary>Each different value is compared once, however many rows have it.</summary>
    private sealed class TextTest(FieldTest test, TextColumn column) : RowTest
    {
        private const byte Passes = 1;
        private const byte Fails = 2;

        private byte[] _verdicts = [];
        private int _generation = -1;

        public override bool Takes(int row)
        {
            if (column.IsPacked)
            {
                Span<char> room = stackalloc char[DeviceId.LengthMax];
                return test.Takes(column.Read(row, room));
            }

            if (_generation != column.Generation)
            {
                (_generation, _verdicts) = (column.Generation, []);
            }

            var code = column.CodeOf(row);
            Growth.Reach(ref _verdicts, Math.Max(code, column.Values.Count - 1));
            if (_verdicts[code] == 0)
            {
                _verdicts[code] = test.Takes(column.Values[code]) ? Passes : Fails;
            }

            return _verdicts[code] == Passes;
        }
    }

    private sealed class PresenceTest(FieldTest test, DeviceColumns columns, DateTimeOffset now) : RowTest
    {
        public override bool Takes(int row) => test.Takes(
            PresenceEntry.Field(columns.PresenceOf(row), test.Path.Field.Name, now).Number, test.LimitAt(now));
    }
}
