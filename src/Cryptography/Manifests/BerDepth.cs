namespace Muster.Cryptography.Manifests;

/// <summary>
/// Measures how deep BER (X.690) is nested, without recursion: a recursive reader can be driven off the end of its stack, which
/// no handler catches.
/// </summary>
internal static class BerDepth
{
    /// <summary>True when nothing is nested deeper than the limit. Lengths that do not fit give false.</summary>
    public static bool IsWithin(ReadOnlySpan<byte> encoded, int depthMax)
    {
        Span<int> ends = stackalloc int[depthMax + 1];
        var depth = 0;
        var position = 0;
        while (position < encoded.Length)
        {
            while (depth > 0 && ends[depth] == position)
            {
                depth--;
            }

            if (!TryReadHeader(encoded, ref position, out var isConstructed, out var length))
            {
                return false;
            }

            // End of contents closes an element without a length.
            if (length == 0 && !isConstructed && position >= 2 && encoded[position - 2] == 0 && depth > 0 && ends[depth] < 0)
            {
                depth--;
                continue;
            }

            if (length > encoded.Length - position)
            {
                return false;
            }

            if (!isConstructed)
            {
                position += length;
                continue;
            }

            if (++depth > depthMax)
            {
                return false;
            }

            ends[depth] = length < 0 ? -1 : position + length;
        }

        return true;
    }

    /// <summary>Reads tag and length; the length is -1 when it is indefinite.</summary>
    private static bool TryReadHeader(ReadOnlySpan<byte> encoded, ref int position, out bool isConstructed, out int length)
    {
        length = 0;
        isConstructed = (encoded[position] & 0x20) != 0;
        var isLongTag = (encoded[position++] & 0x1F) == 0x1F;
        while (isLongTag)
        {
            if (position == encoded.Length)
            {
                return false;
            }

            isLongTag = (encoded[position++] & 0x80) != 0;
        }

        if (position == encoded.Length)
        {
            return false;
        }

        var first = encoded[position++];
        if (first == 0x80)
        {
            length = -1;
            return isConstructed;
        }

        if (first < 0x80)
        {
            length = first;
            return true;
        }

        var count = first & 0x7F;
        if (count > 4 || count > encoded.Length - position)
        {
            return false;
        }

        long value = 0;
        for (var i = 0; i < count; i++)
        {
            value = (value << 8) | encoded[position++];
        }

        length = (int)Math.Min(value, int.MaxValue);
        return true;
    }
}
