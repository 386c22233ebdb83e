using System.Buffers;
using System.Text;
using Muster.Domain.Devices;
using Muster.Gateway.Axis;
using Muster.Protocol;

namespace Muster.Gateway.Mqtt;

/// <summary>What a PUBLISH is about.</summary>
internal enum UpTopicStatus
{
    /// <summary>One of the device's own up topics.</summary>
    Own,

    /// <summary>One of the topics that AXIS OS uses for this device by itself.</summary>
    Axis,

    /// <summary>Another device's.</summary>
    Foreign,

    /// <summary>No up topic at all.</summary>
    Invalid,
}

/// <summary>Reads topics of one device: own topics by comparing bytes, without making a string.</summary>
internal sealed class UpTopic(DeviceId device)
{
    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(Topics.Up(device.Value, string.Empty));

    private readonly byte[] _serial = Encoding.UTF8.GetBytes(device.Value);

    /// <param name="topic">UTF-8.</param>
    /// <param name="kind">Of an own topic.</param>
    /// <param name="rest">Of a topic of AXIS OS: what comes after the serial.</param>
    public UpTopicStatus Read(in ReadOnlySequence<byte> topic, out UpKind kind, out ReadOnlySequence<byte> rest)
    {
        rest = default;
        kind = UpKind.Unspecified;
        var reader = new SequenceReader<byte>(topic);
        if (reader.IsNext(_prefix, advancePast: true))
        {
            kind = KindOf(reader.UnreadSequence);
            return kind == UpKind.Unspecified ? UpTopicStatus.Invalid : UpTopicStatus.Own;
        }

        if (reader.IsNext(AxisTopic.Prefix))
        {
            return AxisTopic.TryReadOwn(topic, _serial, out rest) ? UpTopicStatus.Axis : UpTopicStatus.Foreign;
        }

        return Topics.TryParseUp(Encoding.UTF8.GetString(topic), out _, out _) ? UpTopicStatus.Foreign : UpTopicStatus.Invalid;
    }

    public static string NameOf(UpKind kind) => kind switch
    {
        UpKind.Hello => Topics.Hello,
        UpKind.Status => Topics.Status,
        UpKind.Report => Topics.Report,
        UpKind.Inventory => Topics.Inventory,
        UpKind.Result => Topics.Result,
        _ => string.Empty,
    };

    private static UpKind KindOf(in ReadOnlySequence<byte> name)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (name.Length > bytes.Length)
        {
            return UpKind.Unspecified;
        }

        name.CopyTo(bytes);
        return bytes[..(int)name.Length] switch
        {
            var b when b.SequenceEqual("status"u8) => UpKind.Status,
            var b when b.SequenceEqual("report"u8) => UpKind.Report,
            var b when b.SequenceEqual("hello"u8) => UpKind.Hello,
            var b when b.SequenceEqual("inventory"u8) => UpKind.Inventory,
            var b when b.SequenceEqual("result"u8) => UpKind.Result,
            _ => UpKind.Unspecified,
        };
    }
}
