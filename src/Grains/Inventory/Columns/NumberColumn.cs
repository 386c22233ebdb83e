using System.Runtime.CompilerServices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory.Columns;

/// <summary>Whole numbers by row: 8 bits each while all fit, then 32, then 64.</summary>
internal sealed class NumberColumn
{
    /// <summary>What stands for <see cref="FieldValue.NoNumber"/> in 8 bits, and in 32.</summary>
    private const byte NoByte = byte.MaxValue;
    private const int NoInt = int.MinValue;

    private byte[]? _bytes = [];
    private int[]? _ints;
    private long[]? _longs;
    private int _rows;

    [MethodImpl(ScanPath.Options)]
    public void Set(int row, long value)
    {
        if (_bytes is not null && value != FieldValue.NoNumber && value is < 0 or >= NoByte)
        {
            Widen(value);
        }
        else if (_ints is not null && value != FieldValue.NoNumber && value is <= NoInt or > int.MaxValue)
        {
            Widen(value);
        }

        while (_rows < row)
        {
            Put(_rows++, FieldValue.NoNumber);
        }

        Put(row, value);
        _rows = Math.Max(_rows, row + 1);
    }

    public long Get(int row)
    {
        if (row >= _rows)
        {
            return FieldValue.NoNumber;
        }

        if (_bytes is { } bytes)
        {
            return bytes[row] == NoByte ? FieldValue.NoNumber : bytes[row];
        }

        if (_ints is { } ints)
        {
            return ints[row] == NoInt ? FieldValue.NoNumber : ints[row];
        }

        return _longs![row];
    }

    /// <summary>The numbers of many rows.</summary>
    public void Read(ReadOnlySpan<int> rows, Span<long> numbers)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            numbers[i] = Get(rows[i]);
        }
    }

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim()
    {
        Growth.Trim(ref _bytes, _rows);
        Growth.Trim(ref _ints, _rows);
        Growth.Trim(ref _longs, _rows);
    }

    [MethodImpl(ScanPath.Options)]
    private void Put(int row, long value)
    {
        if (_bytes is not null)
        {
            Growth.Reach(ref _bytes, row);
            _bytes[row] = value == FieldValue.NoNumber ? NoByte : (byte)value;
        }
        else if (_ints is not null)
        {
            Growth.Reach(ref _ints, row);
            _ints[row] = value == FieldValue.NoNumber ? NoInt : (int)value;
        }
        else
        {
            Growth.Reach(ref _longs!, row);
            _longs[row] = value;
        }
    }

    private void Widen(long value)
    {
        var values = new long[_rows];
        for (var row = 0; row < values.Length; row++)
        {
            values[row] = Get(row);
        }

        var fitsInt = value is > NoInt and <= int.MaxValue;
        (_bytes, _ints, _longs) = (null, fitsInt ? [] : null, fitsInt ? null : []);
        for (var row = 0; row < values.Length; row++)
        {
            Put(row, values[row]);
        }
    }
}
