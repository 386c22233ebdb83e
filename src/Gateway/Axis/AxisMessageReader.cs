using System.Buffers;
using System.Text.Json;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Axis;

/// <summary>What AXIS OS publishes, read where it lies: an alarm, nothing that concerns the fleet, or why it cannot be read.</summary>
/// <param name="Signal">Null for an event that is not known, and for a message of the connection itself.</param>
/// <param name="Error">Why the payload cannot be read.</param>
internal readonly record struct AxisMessage(AlarmSignal? Signal, FleetError? Error)
{
    /// <summary>
    /// What a connect message, a disconnect message or a last will says of the device's connection; null for all else.
    /// </summary>
    public bool? IsConnected { get; init; }
}

/// <summary>Reads <c>{"topic":…,"timestamp":…,"serial":…,"message":{"source":{…},"key":{…},"data":{…}}}</c>.</summary>
internal static class AxisMessageReader
{
    /// <summary>An event with its source has some hundred bytes.</summary>
    public const int PayloadBytesMax = 8 * 1024;

    /// <summary>The deepest known message has three levels.</summary>
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 8 };

    /// <param name="rest">The topic after the serial.</param>
    /// <param name="payload">The message.</param>
    /// <param name="device">Whose certificate opened the connection: a serial in the payload may only agree.</param>
    public static AxisMessage Read(in ReadOnlySequence<byte> rest, in ReadOnlySequence<byte> payload, DeviceId device)
    {
        Span<byte> path = stackalloc byte[AxisTopic.PathBytesMax];
        var length = AxisTopic.ReadPath(rest, path);
        var known = length > 0 ? AxisEvent.Find(path[..length]) : null;
        var isConnection = length > 0 && AxisTopic.IsConnection(path[..length]);
        if (length < 0 || (length > 0 && known is null && !isConnection))
        {
            return default;
        }

        if (payload.Length > PayloadBytesMax)
        {
            return new AxisMessage(null, DeviceMessageErrors.PayloadTooLarge(PayloadBytesMax));
        }

        try
        {
            if (isConnection)
            {
                return ReadConnection(payload);
            }

            known ??= FindByTopic(payload, path);
            return known is null ? default : Read(known, payload, device);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // What the reader throws for bytes that are not JSON, and for text that is not UTF-8; its words quote the payload.
            return new AxisMessage(null, DeviceMessageErrors.PayloadInvalid("not the JSON of an AXIS OS event."));
        }
    }

    private static AxisMessage Read(AxisEvent known, in ReadOnlySequence<byte> payload, DeviceId device)
    {
        var fields = default(Fields);
        var reader = ReaderOf(payload);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
            {
                continue;
            }

            if (reader.ValueTextEquals("serial"u8) && reader.Read())
            {
                if (ReadSerial(ref reader) is var serial && !serial.Equals(device.Value, StringComparison.OrdinalIgnoreCase))
                {
                    return new AxisMessage(null, DeviceErrors.SerialMismatch(device, ShownText.OneLine(serial, DeviceId.LengthMax)));
                }
            }
            else if (reader.ValueTextEquals("message"u8) && reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                ReadMessage(ref reader, known, ref fields);
            }
            else
            {
                reader.Skip();
            }
        }

        return fields.ToMessage(known);
    }

    /// <summary>
    /// <c>{"connected":true,…}</c>, as AXIS OS has it by default. Words of an operator's own could mean either, and one that is taken for
    /// the other makes a device present that is gone.
    /// </summary>
    private static AxisMessage ReadConnection(in ReadOnlySequence<byte> payload)
    {
        bool? isConnected = null;
        var reader = ReaderOf(payload);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
            {
                continue;
            }

            var isIt = reader.ValueTextEquals("connected"u8);
            reader.Read();
            isConnected = isIt ? ReadState(ref reader) : isConnected;
            reader.Skip();
        }

        return isConnected is null
            ? new AxisMessage(null, DeviceMessageErrors.PayloadInvalid("it has no 'connected' of true or false."))
            : new AxisMessage(null, null) { IsConnected = isConnected };
    }

    private static void ReadMessage(ref Utf8JsonReader reader, AxisEvent known, ref Fields fields)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isSource = reader.ValueTextEquals("source"u8);
            var isData = !isSource && reader.ValueTextEquals("data"u8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                continue;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isWanted = isSource ? fields.Source is null
                    : isData && (known.State is null ? fields.State is null : reader.ValueTextEquals(known.State));
                if (!reader.Read() || !isWanted)
                {
                    reader.Skip();
                }
                else if (isSource)
                {
                    fields.Source = ReadSource(ref reader);
                }
                else
                {
                    fields.State = ReadState(ref reader);
                    fields.IsStateInvalid = fields.State is null;
                    reader.Skip();
                }
            }
        }
    }

    private static AxisEvent? FindByTopic(in ReadOnlySequence<byte> payload, Span<byte> path)
    {
        var reader = ReaderOf(payload);
        Span<byte> topic = stackalloc byte[AxisTopic.PathBytesMax * 2];
        AxisEvent? found = null;
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
            {
                continue;
            }

            var isTopic = reader.ValueTextEquals("topic"u8);
            reader.Read();
            if (isTopic && reader.TokenType == JsonTokenType.String && LengthOf(reader) <= topic.Length)
            {
                var length = AxisTopic.WithoutNameSpaces(topic[..reader.CopyString(topic)], path);
                found = length > 0 ? AxisEvent.Find(path[..length]) : null;
            }

            reader.Skip();
        }

        return found;
    }

    private static Utf8JsonReader ReaderOf(in ReadOnlySequence<byte> payload) =>
        new(payload, isFinalBlock: true, new JsonReaderState(Options));

    private static long LengthOf(in Utf8JsonReader reader) =>
        reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;

    private static string ReadSerial(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.String && LengthOf(reader) <= PayloadBytesMax ? reader.GetString()! : "";

    /// <summary>Null for what is no name of a part: too long, or with control characters.</summary>
    private static string? ReadSource(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.TryGetInt32(out var number) ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : Fields.Invalid;
        }

        if (reader.TokenType != JsonTokenType.String || LengthOf(reader) > DeviceAlarms.SourceLengthMax)
        {
            reader.Skip();
            return Fields.Invalid;
        }

        var text = reader.GetString()!;
        return text.Any(char.IsControl) ? Fields.Invalid : text;
    }

    /// <summary>AXIS OS writes every value as a string: <c>"0"</c> or <c>"1"</c>, older versions a word.</summary>
    private static bool? ReadState(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        JsonTokenType.String when reader.ValueTextEquals("1"u8) || reader.ValueTextEquals("true"u8) => true,
        JsonTokenType.String when reader.ValueTextEquals("0"u8) || reader.ValueTextEquals("false"u8) => false,
        JsonTokenType.Number when reader.TryGetInt32(out var number) && number is 0 or 1 => number == 1,
        _ => null,
    };

    /// <summary>What was found so far.</summary>
    private struct Fields
    {
        /// <summary>Stands for a source that cannot be one.</summary>
        public const string Invalid = "\0";

        public string? Source;

        public bool? State;

        public bool IsStateInvalid;

        public readonly AxisMessage ToMessage(AxisEvent known)
        {
            if (State is not { } state || IsStateInvalid || ReferenceEquals(Source, Invalid))
            {
                var problem = ReferenceEquals(Source, Invalid) ? "its source is longer than 64 characters or no text."
                    : $"its data has no '{known.State ?? "state"}' of 0 or 1.";
                return new AxisMessage(null, DeviceMessageErrors.PayloadInvalid(problem));
            }

            var source = known.Prefix.Length == 0 ? Source ?? "" : known.Prefix + Source;
            return source.Length > DeviceAlarms.SourceLengthMax
                ? new AxisMessage(null, DeviceMessageErrors.PayloadInvalid("its source is longer than 64 characters."))
                : new AxisMessage(new AlarmSignal(known.Kind, source, state == known.RaisedBy, known.IsMomentary), null);
        }
    }
}
