using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Muster.Domain.Devices;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.WireProtocol;

namespace Muster.Storage;

/// <summary>
/// Writes a label as the generated codec does, but remembers neither it nor its texts, of which no record has one twice. The serializer
/// looks for each object among those before it; with the labels a device has more than the 64 that it keeps in an array, and each commit
/// made a table of all of them.
/// </summary>
internal sealed class LabelCodec : IFieldCodec<DeviceLabel>
{
    private const uint NameId = 0;
    private const uint ValueId = 1;

    public void WriteField<TBufferWriter>(
        ref Writer<TBufferWriter> writer, uint fieldIdDelta, [AllowNull] Type expectedType, [AllowNull] DeviceLabel value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        // Counted: what is remembered is numbered by its place among all.
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteStartObject(fieldIdDelta, expectedType, typeof(DeviceLabel));
        writer.WriteEndBase(); // of parameters without an id of their own: there are none
        WriteText(ref writer, NameId, value.Name);
        WriteText(ref writer, ValueId - NameId, value.Value);
        writer.WriteEndObject();
    }

    public DeviceLabel ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<DeviceLabel, TInput>(ref reader, field)!;
        }

        field.EnsureWireTypeTagDelimited();
        var place = ReferenceCodec.CreateRecordPlaceholder(reader.Session);
        var (name, value, id) = ("", "", 0u);
        while (true)
        {
            var part = reader.ReadFieldHeader();
            if (part.IsEndObject)
            {
                break;
            }

            if (part.IsEndBaseFields)
            {
                id = 0;
                continue;
            }

            id += part.FieldIdDelta;
            switch (id)
            {
                case NameId:
                    name = StringCodec.ReadValue(ref reader, part)!;
                    break;
                case ValueId:
                    value = StringCodec.ReadValue(ref reader, part)!;
                    break;
                default:
                    reader.ConsumeUnknownField(part);
                    break;
            }
        }

        var label = new DeviceLabel(name, value);
        ReferenceCodec.RecordObject(reader.Session, label, place);
        return label;
    }

    private static void WriteText<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, string text)
        where TBufferWriter : IBufferWriter<byte>
    {
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, typeof(string), typeof(string), WireType.LengthPrefixed);
        var bytes = Encoding.UTF8.GetByteCount(text);
        writer.WriteVarUInt32((uint)bytes);
        StringCodec.WriteRaw(ref writer, text, bytes);
    }
}
