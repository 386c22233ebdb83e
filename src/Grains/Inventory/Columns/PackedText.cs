using System.Runtime.CompilerServices;
using System.Text;

namespace Muster.Grains.Inventory.Columns;

/// <summary>
/// Texts of rows end to end in one array, as UTF-8 behind their length; an even number of lower-case hex digits (digests) takes half.
/// A text that outgrew its place is written at the end; the array is packed anew when a half of it is of no use.
/// </summary>
internal sealed class PackedText
{
    private const int NoText = 0;
    private const int LeastWaste = 1024;

    /// <summary>Longer texts are encoded through memory of their own.</summary>
    private const int RoomLength = 256;

    /// <summary>Position 0 is no text.</summary>
    private byte[] _bytes = new byte[1];
    private int[] _starts = [];
    private int _used = 1;
    private int _wasted;

    [MethodImpl(ScanPath.Options)]
    public void Set(int row, ReadOnlySpan<char> value)
    {
        Span<byte> room = stackalloc byte[RoomLength];
        if (Encoding.UTF8.TryGetBytes(value, room, out var length))
        {
            Set(row, room[..length]);
        }
        else
        {
            var bytes = new byte[Encoding.UTF8.GetByteCount(value)];
            Encoding.UTF8.GetBytes(value, bytes);
            Set(row, bytes);
        }
    }

    [MethodImpl(ScanPath.Options)]
    public void Set(int row, ReadOnlySpan<byte> utf8)
    {
        Growth.Reach(ref _starts, row);
        var isHex = IsHex(utf8);
        var length = isHex ? utf8.Length / 2 : utf8.Length;
        var start = _starts[row];
        if (start != NoText)
        {
            var (_, oldLength, oldAt) = Header(start);
            if (oldLength >= length && HeaderBytes(length) <= oldAt - start)
            {
                _wasted += oldLength - length;
                Write(start, utf8, isHex, length, oldAt - start);
                return;
            }

            _wasted += oldAt - start + oldLength;
        }

        if (length == 0)
        {
            _starts[row] = NoText;
            return;
        }

        if (_wasted > LeastWaste && _wasted > _used / 2)
        {
            _starts[row] = NoText;
            Pack();
        }

        Growth.Reach(ref _bytes, _used + MaxHeaderBytes + length);
        _starts[row] = _used;
        _used = Write(_used, utf8, isHex, length, HeaderBytes(length));
    }

    /// <summary>Gives back room for rows that are not here.</summary>
    public void Trim() => Pack();

    public string Get(int row)
    {
        Span<char> room = stackalloc char[256];
        return Read(row, room).ToString();
    }

    public ReadOnlySpan<char> Read(int row, Span<char> room)
    {
        var start = row < _starts.Length ? _starts[row] : NoText;
        if (start == NoText)
        {
            return [];
        }

        var (isHex, length, at) = Header(start);
        var bytes = _bytes.AsSpan(at, length);
        if (isHex)
        {
            return length * 2 <= room.Length && Convert.TryToHexStringLower(bytes, room, out var written)
                ? room[..written]
                : Convert.ToHexStringLower(bytes);
        }

        // A byte is at most one character.
        return length <= room.Length ? room[..Encoding.UTF8.GetChars(bytes, room)] : Encoding.UTF8.GetString(bytes);
    }

    private const int MaxHeaderBytes = 4;

    /// <summary>Two forms and no more, so that a place can be used again without moving the text behind its length.</summary>
    private static int HeaderBytes(int length) => length < 64 ? 1 : MaxHeaderBytes;

    /// <summary>
    /// One byte: bit 7 clear, bit 6 hex, six bits of length. Four bytes: bit 7 set, bit 6 hex, 30 bits of length.
    /// </summary>
    private (bool IsHex, int Length, int At) Header(int start)
    {
        var first = _bytes[start];
        var isHex = (first & 0x40) != 0;
        return (first & 0x80) == 0
            ? (isHex, first & 0x3F, start + 1)
            : (isHex, ((first & 0x3F) << 24) | (_bytes[start + 1] << 16) | (_bytes[start + 2] << 8) | _bytes[start + 3],
                start + MaxHeaderBytes);
    }

    [MethodImpl(ScanPath.Options)]
    private int Write(int start, ReadOnlySpan<byte> utf8, bool isHex, int length, int headerBytes)
    {
        var hex = isHex ? 0x40 : 0;
        if (headerBytes == 1)
        {
            _bytes[start] = (byte)(hex | length);
        }
        else
        {
            _bytes[start] = (byte)(0x80 | hex | (length >> 24));
            _bytes[start + 1] = (byte)(length >> 16);
            _bytes[start + 2] = (byte)(length >> 8);
            _bytes[start + 3] = (byte)length;
        }

        var target = _bytes.AsSpan(start + headerBytes, length);
        if (isHex)
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = (byte)((NibbleOf(utf8[2 * i]) << 4) | NibbleOf(utf8[(2 * i) + 1]));
            }
        }
        else
        {
            utf8.CopyTo(target);
        }

        return start + headerBytes + length;
    }

    private void Pack()
    {
        var length = 1;
        for (var row = 0; row < _starts.Length; row++)
        {
            length += _starts[row] == NoText ? 0 : WholeOf(_starts[row]).Length;
        }

        var packed = new byte[length];
        var used = 1;
        for (var row = 0; row < _starts.Length; row++)
        {
            if (_starts[row] != NoText)
            {
                var whole = WholeOf(_starts[row]);
                whole.CopyTo(packed.AsSpan(used));
                _starts[row] = used;
                used += whole.Length;
            }
        }

        (_bytes, _used, _wasted) = (packed, used, 0);
    }

    private ReadOnlySpan<byte> WholeOf(int start)
    {
        var (_, length, at) = Header(start);
        return _bytes.AsSpan(start, at - start + length);
    }

    /// <summary>Mostly the first character tells. The framework's searches would begin unoptimized, which this is not.</summary>
    [MethodImpl(ScanPath.Options)]
    private static bool IsHex(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length == 0 || utf8.Length % 2 != 0)
        {
            return false;
        }

        foreach (var c in utf8)
        {
            if (c is not ((>= (byte)'0' and <= (byte)'9') or (>= (byte)'a' and <= (byte)'f')))
            {
                return false;
            }
        }

        return true;
    }

    private static int NibbleOf(byte digit) => digit <= '9' ? digit - '0' : digit - 'a' + 10;
}
