using System.Buffers;
using System.Text;
using Muster.Domain.Devices;

namespace Muster.Gateway.Axis;

/// <summary>
/// Topics of AXIS OS: <c>axis/SERIAL/event/…</c>, with name spaces or without them, with the event's topic or without it. Nothing is made
/// of an event that nobody asked for: a busy camera sends its motion detection for ever.
/// </summary>
internal static class AxisTopic
{
    /// <summary>The longest path of the events that are known is 42 bytes; sources come after it.</summary>
    public const int PathBytesMax = 96;

    /// <summary>The longest that can be an event after its serial: the level <c>event</c>, and a path with its name spaces.</summary>
    public const int RestBytesMax = 6 + (PathBytesMax * 2);

    /// <summary>All events of a device, with the wild card of a subscription where its name would stand.</summary>
    public const string Filter = PrefixText + "+/event/#";

    private const string PrefixText = "axis/";

    /// <summary>The prefix that AXIS OS puts before its serial by default.</summary>
    public static ReadOnlySpan<byte> Prefix => "axis/"u8;

    /// <summary>The level that an event's topic begins with.</summary>
    private static ReadOnlySpan<byte> Event => "event"u8;

    /// <summary>
    /// What comes after the serial; false when the second level is not this one. AXIS OS writes the serial in capitals, its certificates
    /// in small letters.
    /// </summary>
    public static bool TryReadOwn(in ReadOnlySequence<byte> topic, ReadOnlySpan<byte> serial, out ReadOnlySequence<byte> rest)
    {
        rest = default;
        var reader = new SequenceReader<byte>(topic);
        if (!reader.IsNext(Prefix, advancePast: true) || !reader.TryReadTo(out ReadOnlySequence<byte> level, (byte)'/'))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[64];
        if (level.Length > bytes.Length)
        {
            return false;
        }

        level.CopyTo(bytes);
        rest = reader.UnreadSequence;
        return System.Text.Ascii.EqualsIgnoreCase(bytes[..(int)level.Length], serial);
    }

    /// <summary>
    /// Reads a topic whose second level says whose it is: the device id as it stands in topics, letter by letter, because what bound it to
    /// a device, a broker's rule, compared letters.
    /// </summary>
    /// <param name="topic">As a broker hands it on.</param>
    /// <param name="device">Whose it is.</param>
    /// <param name="rest">What comes after it, UTF-8.</param>
    public static bool TryParse(string? topic, out DeviceId device, out ReadOnlyMemory<byte> rest)
    {
        (device, rest) = (default, default);
        if (topic is null || !topic.StartsWith(PrefixText, StringComparison.Ordinal))
        {
            return false;
        }

        var level = topic.AsSpan(PrefixText.Length);
        var slash = level.IndexOf('/');
        if (slash is <= 0 or > DeviceId.LengthMax || !DeviceId.TryParse(level[..slash].ToString(), out device))
        {
            return false;
        }

        // What is longer is no event that is known, and neither is its beginning.
        var after = level[(slash + 1)..];
        rest = Encoding.UTF8.GetBytes(after[..Math.Min(after.Length, RestBytesMax + 1)].ToString());
        return true;
    }

    /// <summary>
    /// The path of an event into <paramref name="path"/>; its length, 0 when the topic names none (it stands in the payload then), and -1
    /// when this is no event.
    /// </summary>
    public static int ReadPath(in ReadOnlySequence<byte> rest, Span<byte> path)
    {
        var reader = new SequenceReader<byte>(rest);
        if (!reader.IsNext(Event, advancePast: true))
        {
            return -1;
        }

        if (reader.End)
        {
            return 0;
        }

        Span<byte> bytes = stackalloc byte[PathBytesMax * 2];
        if (!reader.IsNext((byte)'/', advancePast: true) || reader.Remaining > bytes.Length)
        {
            return -1;
        }

        reader.UnreadSequence.CopyTo(bytes);
        return WithoutNameSpaces(bytes[..(int)reader.Remaining], path);
    }

    /// <summary>Where AXIS OS has its connect message, its disconnect message and its last will by default.</summary>
    public static bool IsConnection(ReadOnlySpan<byte> path) => path.SequenceEqual("connection"u8);

    /// <summary>
    /// <c>tns:onvif/Device/tns:axis/Sensor/PIR/$source/sensor/0</c>, <c>onvif:Device/axis:Sensor/PIR</c> and
    /// <c>tns1:Device/tnsaxis:Sensor/PIR</c> are all <c>Device/Sensor/PIR</c>. The length; -1 when it is longer than any that is known.
    /// </summary>
    public static int WithoutNameSpaces(ReadOnlySpan<byte> topic, Span<byte> path)
    {
        var length = 0;
        foreach (var range in topic.Split((byte)'/'))
        {
            var level = topic[range];
            if (level.StartsWith("$"u8))
            {
                break;
            }

            if (level.StartsWith("tns:"u8))
            {
                continue;
            }

            level = level[(level.LastIndexOf((byte)':') + 1)..];
            if (length + level.Length + 1 > path.Length)
            {
                return -1;
            }

            if (length > 0)
            {
                path[length++] = (byte)'/';
            }

            level.CopyTo(path[length..]);
            length += level.Length;
        }

        return length;
    }
}
