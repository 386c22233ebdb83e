using System.Buffers;

namespace Muster.Gateway.Mqtt;

/// <summary>What the bytes at hand hold.</summary>
internal enum FrameStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>One whole packet.</summary>
    Complete,

    /// <summary>A packet above the limit: refused by its length, before its bytes are read.</summary>
    TooLarge,

    /// <summary>Not MQTT.</summary>
    Malformed,
}

/// <summary>One control packet, still in the connection's buffer (MQTT 5, 2.1).</summary>
/// <param name="Header">First byte: type and flags.</param>
/// <param name="Body">Everything after the fixed header.</param>
/// <param name="Length">Of the whole packet, in bytes; set for <see cref="FrameStatus.TooLarge"/> too.</param>
internal readonly record struct Frame(byte Header, ReadOnlySequence<byte> Body, long Length);

/// <summary>Cuts packets out of a stream of bytes without copying them.</summary>
internal static class FrameReader
{
    /// <summary>The remaining length has at most four bytes (MQTT 5, 2.1.4).</summary>
    private const int LengthBytesMax = 4;

    public static FrameStatus TryRead(in ReadOnlySequence<byte> buffer, int packetBytesMax, out Frame frame)
    {
        frame = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out var header))
        {
            return FrameStatus.Incomplete;
        }

        var status = TryReadLength(ref reader, out var length);
        if (status != FrameStatus.Complete)
        {
            return status;
        }

        var total = reader.Consumed + length;
        if (total > packetBytesMax)
        {
            frame = new Frame(header, default, total);
            return FrameStatus.TooLarge;
        }

        if (reader.Remaining < length)
        {
            return FrameStatus.Incomplete;
        }

        frame = new Frame(header, buffer.Slice(reader.Position, length), total);
        return FrameStatus.Complete;
    }

    /// <summary>Reads a variable byte integer (MQTT 5, 1.5.5).</summary>
    public static FrameStatus TryReadLength(ref SequenceReader<byte> reader, out int length)
    {
        length = 0;
        for (var i = 0; i < LengthBytesMax; i++)
        {
            if (!reader.TryRead(out var value))
            {
                return FrameStatus.Incomplete;
            }

            length |= (value & 0x7F) << (7 * i);
            if ((value & 0x80) == 0)
            {
                return FrameStatus.Complete;
            }
        }

        return FrameStatus.Malformed;
    }
}
