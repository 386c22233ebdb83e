using System.Runtime.CompilerServices;
using System.Text;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// Text by row. Few different values are kept once each and named by a code of one or two bytes; where most rows differ, the texts
/// themselves are packed. Which of the two it is follows from the values, and changes with them.
/// </summary>
internal sealed class TextColumn
{
    /// <summary>Up to here a linear search is as fast as a dictionary, and takes no memory. Most comparisons end at the length.</summary>
    private const int SearchedMax = 16;

    /// <summary>
    /// At so many values it is looked at for the first time whether each row has its own: then a scan need not give out codes, and share
    /// texts, that it takes back soon after. Texts of five hundred values, some far more frequent than others, have repeated by then.
    /// </summary>
    private const int FirstLookMax = 64;

    /// <summary>At the first look the rows are few: one in so many may have a value that another has.</summary>
    private const int RowsPerRepetition = 32;

    /// <summary>Longer texts are decoded through memory of their own.</summary>
    private const int RoomLength = 256;

    private const int NarrowMax = 256;
    private const int WideMax = ushort.MaxValue;

    /// <summary>Of values that were used when codes are given out anew, this part may be new before it is done again.</summary>
    private const int RoomFactor = 2;

    private readonly ValuePool _pool;
    private List<string> _values = [""];
    private Dictionary<string, int>? _codes;

    /// <summary>Of <see cref="_codes"/>; the dictionary looks at its comparer's type whenever it is asked for one.</summary>
    private Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _codesByText;
    private byte[]? _narrow = [];
    private ushort[]? _wide;
    private PackedText? _packed;
    private int _rows;
    private int _valuesMax = FirstLookMax;
    private ValueOrder? _order;

    /// <param name="pool">Has one copy of each text for all partitions.</param>
    /// <param name="isOwn">Known beforehand: nearly every row has a text of its own.</param>
    public TextColumn(ValuePool pool, bool isOwn = false)
    {
        _pool = pool;
        if (isOwn)
        {
            (_packed, _narrow) = (new PackedText(), null);
        }
    }

    /// <summary>True when rows have no codes.</summary>
    public bool IsPacked => _packed is not null;

    /// <summary>Grows when codes got another meaning: what was remembered by code is void.</summary>
    public int Generation { get; private set; }

    /// <summary>By code; code 0 is the empty text. Some may be of no row any more.</summary>
    public IReadOnlyList<string> Values => _values;

    [MethodImpl(ScanPath.Options)]
    public void Set(int row, ReadOnlySpan<char> value)
    {
        if (_packed is { } packed)
        {
            packed.Set(row, value);
            _rows = Math.Max(_rows, row + 1);
            return;
        }

        if (row >= _rows && value.Length == 0)
        {
            // Rows beyond the end are empty: a column that few devices have stays short.
            return;
        }

        var code = Find(value);
        if (code < 0)
        {
            if (_values.Count == _valuesMax)
            {
                Recode();
                Set(row, value);
                return;
            }

            code = Add(value);
        }

        SetCode(row, code);
    }

    /// <summary>As UTF-8, which becomes text only when the value is not one of a few.</summary>
    [MethodImpl(ScanPath.Options)]
    public void Set(int row, ReadOnlySpan<byte> utf8)
    {
        if (_packed is { } packed)
        {
            packed.Set(row, utf8);
            _rows = Math.Max(_rows, row + 1);
        }
        else if (_codes is null && Find(utf8) is var code and >= 0)
        {
            // Rows beyond the end are empty.
            if (code > 0 || row < _rows)
            {
                SetCode(row, code);
            }
        }
        else
        {
            Span<char> room = stackalloc char[RoomLength];
            Set(row, utf8.Length <= RoomLength ? room[..Encoding.UTF8.GetChars(utf8, room)] : Encoding.UTF8.GetString(utf8));
        }
    }

    /// <summary>The row's code; only while <see cref="IsPacked"/> is false.</summary>
    public int CodeOf(int row) => row >= _rows ? 0 : _narrow is { } narrow ? narrow[row] : _wide![row];

    /// <summary>The codes of many rows; only while <see cref="IsPacked"/> is false.</summary>
    public void CodesOf(ReadOnlySpan<int> rows, Span<int> codes)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            codes[i] = CodeOf(rows[i]);
        }
    }

    public string Get(int row) => _packed is { } packed ? packed.Get(row) : _values[CodeOf(row)];

    /// <summary>The row's text without a copy of its own: in <paramref name="room"/> when it is packed and fits.</summary>
    public ReadOnlySpan<char> Read(int row, Span<char> room) =>
        _packed is { } packed ? packed.Read(row, room) : _values[CodeOf(row)];

    /// <summary>The values in their order; equal ones, such as versions that are written differently, share a place.</summary>
    public ValueOrder OrderOf(FieldType type)
    {
        if (_order is not { } order || order.Type != type || order.Generation != Generation || order.Places.Length != _values.Count)
        {
            _order = order = ValueOrder.Of(_values, type, Generation);
        }

        return order;
    }

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim()
    {
        _packed?.Trim();
        _values.TrimExcess();
        Growth.Trim(ref _narrow, _rows);
        Growth.Trim(ref _wide, _rows);
    }

    [MethodImpl(ScanPath.Options)]
    private int Find(ReadOnlySpan<char> value)
    {
        if (_codes is not null)
        {
            return _codesByText.TryGetValue(value, out var known) ? known : -1;
        }

        for (var code = 0; code < _values.Count; code++)
        {
            if (value.SequenceEqual(_values[code]))
            {
                return code;
            }
        }

        return -1;
    }

    /// <summary>Among a few values; -1 for text beyond ASCII as well.</summary>
    [MethodImpl(ScanPath.Options)]
    private int Find(ReadOnlySpan<byte> utf8)
    {
        for (var code = 0; code < _values.Count; code++)
        {
            if (IsSame(utf8, _values[code]))
            {
                return code;
            }
        }

        return -1;
    }

    /// <summary>
    /// Values of one column begin alike, so the last character is looked at first. The framework's comparison would begin unoptimized,
    /// which this is not.
    /// </summary>
    [MethodImpl(ScanPath.Options)]
    private static bool IsSame(ReadOnlySpan<byte> utf8, string value)
    {
        if (utf8.Length != value.Length)
        {
            return false;
        }

        for (var i = utf8.Length - 1; i >= 0; i--)
        {
            if (utf8[i] != value[i] || !char.IsAscii(value[i]))
            {
                return false;
            }
        }

        return true;
    }

    [MethodImpl(ScanPath.Options)]
    private int Add(ReadOnlySpan<char> text)
    {
        var value = _pool.Share(text);
        var code = _values.Count;
        _values.Add(value);
        if (_codes is not null)
        {
            _codes.Add(value, code);
        }
        else if (_values.Count > SearchedMax)
        {
            _codes = new Dictionary<string, int>(StringComparer.Ordinal);
            _codesByText = _codes.GetAlternateLookup<ReadOnlySpan<char>>();
            for (var i = 0; i < _values.Count; i++)
            {
                _codes.Add(_values[i], i);
            }
        }

        return code;
    }

    [MethodImpl(ScanPath.Options)]
    private void SetCode(int row, int code)
    {
        if (_narrow is not null)
        {
            Growth.Reach(ref _narrow, row);
            _narrow[row] = (byte)code;
        }
        else
        {
            Growth.Reach(ref _wide!, row);
            _wide[row] = (ushort)code;
        }

        _rows = Math.Max(_rows, row + 1);
    }

    /// <summary>Forgets values that no row has, and chooses how the column is kept from here on.</summary>
    private void Recode()
    {
        var texts = new string[_rows];
        for (var row = 0; row < texts.Length; row++)
        {
            texts[row] = _values[CodeOf(row)];
        }

        var live = texts.Distinct(StringComparer.Ordinal).Count();
        var isOwn = _valuesMax == FirstLookMax
            ? live >= FirstLookMax / RoomFactor && (_rows - live) * RowsPerRepetition <= _rows
            : live > WideMax / RoomFactor || (live >= NarrowMax / RoomFactor && live * 2 > _rows);
        Generation++;
        (_values, _codes, _codesByText, _narrow, _wide) = ([""], null, default, null, null);
        if (isOwn)
        {
            _packed = new PackedText();
        }
        else if (live < NarrowMax / RoomFactor)
        {
            (_narrow, _valuesMax) = ([], NarrowMax);
        }
        else
        {
            (_wide, _valuesMax) = ([], Math.Min(WideMax, live * RoomFactor));
        }

        _rows = 0;
        for (var row = 0; row < texts.Length; row++)
        {
            Set(row, texts[row]);
        }
    }
}

/// <summary>The order of a column's values, by code. Void once a value comes or codes get another meaning.</summary>
/// <param name="Type">By which they are ordered.</param>
/// <param name="Generation">Of the codes.</param>
/// <param name="Codes">The codes in the order of their values.</param>
/// <param name="Places">By code: its place in the order, from 0 and without a gap.</param>
internal sealed record ValueOrder(FieldType Type, int Generation, int[] Codes, int[] Places)
{
    public static ValueOrder Of(List<string> values, FieldType type, int generation)
    {
        var codes = Enumerable.Range(0, values.Count).ToArray();
        Array.Sort(codes, Compare);
        var places = new int[codes.Length];
        for (var i = 1; i < codes.Length; i++)
        {
            places[codes[i]] = places[codes[i - 1]] + (Compare(codes[i - 1], codes[i]) == 0 ? 0 : 1);
        }

        return new ValueOrder(type, generation, codes, places);

        int Compare(int left, int right) => FieldValue.Compare(type, FieldValue.Of(values[left]), FieldValue.Of(values[right]));
    }

    /// <summary>The place of a value; of one that is not here, the place that it would come behind (-1 for the first).</summary>
    public (int Place, bool IsHere) Find(IReadOnlyList<string> values, FieldValue value)
    {
        var (low, high) = (0, Codes.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            var order = FieldValue.Compare(Type, FieldValue.Of(values[Codes[middle]]), value);
            if (order == 0)
            {
                return (Places[Codes[middle]], true);
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }

        return (low == 0 ? -1 : Places[Codes[low - 1]], false);
    }
}

/// <summary>Arrays that grow by a quarter: doubling would leave a third of all columns empty on average.</summary>
internal static class Growth
{
    private const int Least = 16;

    public static void Trim<T>(ref T[]? array, int length)
    {
        if (array is not null && array.Length > length)
        {
            Array.Resize(ref array, length);
        }
    }

    public static void Reach<T>(ref T[] array, int index)
    {
        if (index >= array.Length)
        {
            Array.Resize(ref array, Math.Max(index + 1, array.Length + (array.Length / 4) + Least));
        }
    }
}
