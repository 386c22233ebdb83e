using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Google.Protobuf;
using Muster.Protocol;
using Muster.Protocol.Device.V1;

namespace Muster.Load.Generator;

/// <summary>
/// One PUBLISH with QoS 1 (MQTT 5), encoded once. A message is a copy of it with its own packet identifier, sequence and, in an
/// inventory, a setting that no message before it had.
/// </summary>
internal sealed class UpTemplate
{
    /// <summary>From here to 2^56 a sequence has eight bytes as a varint: no copy is longer than another.</summary>
    public const long SequenceMin = 1L << 49;

    private const int VarintBytes = 8;
    private const string Value = "0000000000000000";

    private readonly byte[] _bytes;
    private readonly int _packetId;
    private readonly int _sequence;
    private readonly int _value;

    private UpTemplate(string device, string kind, IMessage message)
    {
        var topic = Encoding.UTF8.GetBytes(Topics.Up(device, kind));
        var payload = message.ToByteArray();
        var body = new List<byte>();
        Span<byte> length = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)topic.Length);
        body.AddRange(length);
        body.AddRange(topic);
        var packetId = body.Count;
        body.AddRange([0, 0, 0]);
        body.AddRange(payload);
        List<byte> packet = [0x32];
        Packets.AddLength(packet, body.Count);
        _packetId = packet.Count + packetId;
        packet.AddRange(body);
        _bytes = [.. packet];
        Span<byte> sequence = stackalloc byte[VarintBytes];
        WriteSequence(sequence, SequenceMin);
        _sequence = _bytes.AsSpan().IndexOf(sequence);
        _value = _bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Value));
    }

    public int Length => _bytes.Length;

    public static UpTemplate Of(string device, string kind, string bootId)
    {
        var stamp = new Stamp { BootId = bootId, Sequence = SequenceMin };
        IMessage message = kind switch
        {
            Topics.Hello => new Hello
            {
                Stamp = stamp, Serial = device, Model = "P3265-V", OsVersion = "12.1.64", SecureBoot = true, FactoryDefault = true,
            },
            Topics.Status => new Status { Stamp = stamp, UptimeSeconds = 86_400, TemperatureCelsius = 41.5, Note = "ok" },
            Topics.Inventory => new Inventory
            {
                Stamp = stamp,
                Settings =
                {
                    new Setting { Name = "Network.SSH.Enabled", Value = "no" },
                    new Setting { Name = "Time.NTP.Server", Value = "ntp.example" },
                    new Setting { Name = "System.Changes", Value = Value },
                },
            },
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "hello, status or inventory."),
        };
        return new UpTemplate(device, kind, message);
    }

    public void Write(Span<byte> target, ushort packetId, long sequence)
    {
        _bytes.CopyTo(target);
        BinaryPrimitives.WriteUInt16BigEndian(target[_packetId..], packetId);
        WriteSequence(target[_sequence..], sequence);
        if (_value >= 0)
        {
            Utf8Formatter.TryFormat(sequence, target.Slice(_value, Value.Length), out _, new System.Buffers.StandardFormat('X', 16));
        }
    }

    private static void WriteSequence(Span<byte> target, long sequence)
    {
        for (var i = 0; i < VarintBytes; i++)
        {
            var bits = (int)(sequence >> (7 * i)) & 0x7F;
            target[i] = (byte)(i < VarintBytes - 1 ? bits | 0x80 : bits);
        }
    }
}
