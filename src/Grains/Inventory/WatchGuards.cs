using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using Muster.Domain.Inventory;
using Muster.Grains.Inventory.Columns;

namespace Muster.Grains.Inventory;

/// <summary>
/// Watches whose filters have a part that looks at one field only (<see cref="InventoryFilter.FindGuard"/>): which of them may match is
/// found once for each value of the field, and then looked up.
/// </summary>
internal sealed class WatchGuards
{
    private const int WordBits = 64;

    /// <summary>Numbers that are remembered: all there are of choices and small counts; with 1,000 watches 128 kB.</summary>
    private const int NumbersMax = 1_024;

    /// <summary>Longer texts are decoded through memory of their own.</summary>
    private const int RoomLength = 256;

    /// <summary>Of the hashes of texts: devices choose texts, and none may choose two that look the same here.</summary>
    private static readonly long s_seed = Random.Shared.NextInt64();

    private readonly Watch[] _watches;
    private readonly RowTest[] _guards;
    private readonly TextColumn? _text;
    private readonly NumberColumn? _number;
    private readonly Dictionary<long, ulong[]> _byNumber = [];
    private ulong[]?[] _byCode = [];
    private int _generation = -1;

    /// <summary>Where each row has a text of its own: what was found for the text that it has, 16 bytes a row.</summary>
    private (ulong Hash, ulong[]? Found)[] _byRow = [];
    private ulong[]? _ofNone;

    public WatchGuards(FieldPath path, IReadOnlyList<(Watch Watch, FilterNode Guard)> guarded, DeviceColumns columns, DateTimeOffset now)
    {
        (_text, _number) = (columns.Text(path), columns.Number(path));
        _watches = [.. guarded.Select(one => one.Watch)];
        _guards = [.. guarded.Select(one => RowTest.Of(one.Guard, columns, now))];
    }

    /// <summary>Adds those that match the row.</summary>
    public void Add(DeviceColumns columns, int row, DateTimeOffset now, ref List<Watch>? matching)
    {
        var candidates = Candidates(row);
        for (var word = 0; word < candidates.Length; word++)
        {
            for (var bits = candidates[word]; bits != 0; bits &= bits - 1)
            {
                var watch = _watches[(word * WordBits) + BitOperations.TrailingZeroCount(bits)];
                if (watch.Takes(columns, row, now))
                {
                    (matching ??= []).Add(watch);
                }
            }
        }
    }

    private ulong[] Candidates(int row)
    {
        if (_number is not null)
        {
            var value = _number.Get(row);
            return _byNumber.TryGetValue(value, out var known) ? known
                : _byNumber.Count < NumbersMax ? _byNumber[value] = Evaluate(row)
                : Evaluate(row);
        }

        if (_text is null)
        {
            return _ofNone ??= Evaluate(row);
        }

        return _text.IsPacked ? ByRow(_text, row) : ByCode(_text, row);
    }

    private ulong[] ByRow(TextColumn text, int row)
    {
        Span<char> room = stackalloc char[RoomLength];
        var hash = XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.Read(row, room)), s_seed);
        Growth.Reach(ref _byRow, row);
        ref var known = ref _byRow[row];
        if (known.Found is null || known.Hash != hash)
        {
            known = (hash, Evaluate(row));
        }

        return known.Found!;
    }

    private ulong[] ByCode(TextColumn text, int row)
    {
        if (_generation != text.Generation)
        {
            (_generation, _byCode) = (text.Generation, []);
        }

        var code = text.CodeOf(row);
        Growth.Reach(ref _byCode, Math.Max(code, text.Values.Count - 1));
        return _byCode[code] ??= Evaluate(row);
    }

    private ulong[] Evaluate(int row)
    {
        ulong[]? found = null;
        for (var i = 0; i < _guards.Length; i++)
        {
            if (_guards[i].Takes(row))
            {
                found ??= new ulong[(_guards.Length + WordBits - 1) / WordBits];
                found[i / WordBits] |= 1UL << (i % WordBits);
            }
        }

        return found ?? [];
    }
}
