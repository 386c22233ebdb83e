using System.Buffers;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;

namespace Muster.Gateway.Mqtt;

/// <summary>
/// The topic aliases of one connection (MQTT 5, 3.3.2.3.4). What is kept of a topic is what it means, so that a message with an alias costs
/// neither the reading of its topic nor an allocation, and a topic of 64 KiB not more than any other.
/// </summary>
internal sealed class TopicAliases
{
    /// <summary>
    /// A device has five topics of its own; the rest are for events of AXIS OS that repeat. With the longest topic that is kept a
    /// connection that uses them all holds 4 KiB.
    /// </summary>
    public const int Max = 16;

    /// <summary>One byte more than any event has after its serial: what is longer is none, and neither is its beginning.</summary>
    private const int RestBytesMax = AxisTopic.RestBytesMax + 1;

    private readonly Entry[] _entries = new Entry[Max];

    /// <summary>Whether an alias may be used at all.</summary>
    public static bool IsInRange(int alias) => alias is > 0 and <= Max;

    /// <summary>What was published under this alias before; false when nothing was.</summary>
    public bool TryFind(int alias, out UpTopicStatus status, out UpKind kind, out ReadOnlySequence<byte> rest)
    {
        var entry = _entries[alias - 1];
        (status, kind) = (entry.Status, entry.Kind);
        rest = entry.Rest is { Length: > 0 } bytes ? new ReadOnlySequence<byte>(bytes) : default;
        return entry.IsSet;
    }

    /// <summary>Keeps what the topic means, in the place of what the alias meant before.</summary>
    public void Set(int alias, UpTopicStatus status, UpKind kind, in ReadOnlySequence<byte> rest)
    {
        ref var entry = ref _entries[alias - 1];
        var kept = rest.Length > RestBytesMax ? rest.Slice(0, RestBytesMax) : rest;
        entry = new Entry(true, status, kind, RestOf(entry.Rest, kept));
    }

    /// <summary>A client that writes alias and topic every time makes no garbage with it.</summary>
    private static byte[]? RestOf(byte[]? before, in ReadOnlySequence<byte> rest)
    {
        if (rest.IsEmpty)
        {
            return null;
        }

        var reader = new SequenceReader<byte>(rest);
        return before is not null && before.Length == rest.Length && reader.IsNext(before) ? before : rest.ToArray();
    }

    private readonly record struct Entry(bool IsSet, UpTopicStatus Status, UpKind Kind, byte[]? Rest);
}
