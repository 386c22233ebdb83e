using System.Buffers;
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

    /// <summary>Moves the rows that pass to the front, in their order, and says how many they are.</summary>
    public virtual int Keep(Span<int> rows)
    {
        var kept = 0;
        foreach (var row in rows)
        {
            if (Takes(row))
            {
                rows[kept++] = row;
            }
        }

        return kept;
    }

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

        /// <summary>Part by part: each has a loop of its own over what the parts before it left.</summary>
        public override int Keep(Span<int> rows)
        {
            var kept = rows.Length;
            foreach (var part in parts)
            {
                kept = part.Keep(rows[..kept]);
            }

            return kept;
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

        /// <summary>Part by part: each looks only at what those before it refused; what all refuse is dropped.</summary>
        public override int Keep(Span<int> rows)
        {
            var room = ArrayPool<int>.Shared.Rent(rows.Length);
            var refused = room.AsSpan(0, rows.Length);
            rows.CopyTo(refused);
            foreach (var part in parts)
            {
                refused = refused[..KeepRefused(part, refused)];
            }

            var kept = Drop(rows, refused);
            ArrayPool<int>.Shared.Return(room);
            return kept;
        }
    }

    private sealed class Inverse(RowTest part) : RowTest
    {
        public override bool Takes(int row) => !part.Takes(row);

        public override int Keep(Span<int> rows) => KeepRefused(part, rows);
    }

    /// <summary>Moves the rows that do not pass to the front, in their order.</summary>
    private static int KeepRefused(RowTest test, Span<int> rows)
    {
        var room = ArrayPool<int>.Shared.Rent(rows.Length);
        var taken = room.AsSpan(0, rows.Length);
        rows.CopyTo(taken);
        var kept = Drop(rows, taken[..test.Keep(taken)]);
        ArrayPool<int>.Shared.Return(room);
        return kept;
    }

    /// <summary>Moves to the front the rows that are not among the others, which are some of them in the same order.</summary>
    private static int Drop(Span<int> rows, ReadOnlySpan<int> others)
    {
        var (kept, next) = (0, 0);
        foreach (var row in rows)
        {
            if (next < others.Length && others[next] == row)
            {
                next++;
            }
            else
            {
                rows[kept++] = row;
            }
        }

        return kept;
    }

    private sealed class Constant(bool verdict) : RowTest
    {
        public override bool Takes(int row) => verdict;
    }

    private sealed class NumberTest(FieldTest test, NumberColumn column, long limit) : RowTest
    {
        public override bool Takes(int row) => test.Takes(column.Get(row), limit);

        public override int Keep(Span<int> rows)
        {
            var kept = 0;
            foreach (var row in rows)
            {
                rows[kept] = row;
                kept += test.Takes(column.Get(row), limit) ? 1 : 0;
            }

            return kept;
        }
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

            Prepare();
            return Passed(column.CodeOf(row));
        }

        public override int Keep(Span<int> rows)
        {
            if (column.IsPacked)
            {
                return base.Keep(rows);
            }

            Prepare();
            var kept = 0;
            foreach (var row in rows)
            {
                rows[kept] = row;
                kept += Passed(column.CodeOf(row)) ? 1 : 0;
            }

            return kept;
        }

        /// <summary>Room for a verdict on every value that there is now.</summary>
        private void Prepare()
        {
            if (_generation != column.Generation)
            {
                (_generation, _verdicts) = (column.Generation, []);
            }

            Growth.Reach(ref _verdicts, column.Values.Count - 1);
        }

        private bool Passed(int code)
        {
            ref var verdict = ref _verdicts[code];
            if (verdict == 0)
            {
                verdict = test.Takes(column.Values[code]) ? Passes : Fails;
            }

            return verdict == Passes;
        }
    }

    private sealed class PresenceTest(FieldTest test, DeviceColumns columns, DateTimeOffset now) : RowTest
    {
        public override bool Takes(int row) => test.Takes(
            PresenceEntry.Field(columns.PresenceOf(row), test.Path.Field.Name, now).Number, test.LimitAt(now));
    }
}
