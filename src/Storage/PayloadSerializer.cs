using System.Buffers;
using Muster.Contracts.Commit;
using Orleans.Serialization;

namespace Muster.Storage;

/// <summary>
/// Objects to bytes and back, with the type's alias in the bytes, so that a scan needs no list of types (ADR 0002).
/// </summary>
internal sealed class PayloadSerializer(Serializer serializer)
{
    /// <summary>A buffer that once had to grow for a large record is not kept.</summary>
    private const int ScratchBytesKept = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_scratch;

    public byte[] Record(RecordHeader header, object record)
    {
        var scratch = Scratch();
        RecordLayout.WriteHeader(scratch, header);
        return Finish(scratch, record);
    }

    /// <summary>A cold part that was taken away is a field with only the format byte: one HSET cannot delete.</summary>
    public byte[] Cold(object? cold)
    {
        if (cold is null)
        {
            return [RecordLayout.Format];
        }

        var scratch = Scratch();
        scratch.Write([RecordLayout.Format]);
        return Finish(scratch, cold);
    }

    public byte[] Entry(FeedEntry entry) => Finish(Scratch(), entry);

    public FeedEntry ReadEntry(ReadOnlyMemory<byte> bytes) => Read<FeedEntry>(bytes);

    /// <summary>A record as it is stored, whole.</summary>
    /// <exception cref="RecordUnreadableException">A newer version wrote it, or its bytes are damaged.</exception>
    public (RecordHeader Header, ICommitRecord Record) ReadStored(string name, ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> cold)
    {
        try
        {
            return (RecordLayout.ReadHeader(bytes.Span), ReadRecord<ICommitRecord>(bytes).WithCold(ReadCold(cold)));
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The serializer throws many types for what it does not know; all of them mean this.
            throw new RecordUnreadableException(
                $"The record {name} cannot be read: a newer version of Muster wrote it, or its bytes are damaged. It was left as it is. "
                + $"Start the version that wrote it, or restore it. ({exception.Message})",
                exception);
        }
    }

    public T ReadRecord<T>(ReadOnlyMemory<byte> bytes) => Read<T>(bytes[RecordLayout.HeaderBytes..]);

    public object? ReadCold(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return null;
        }

        if (bytes.Span[0] != RecordLayout.Format)
        {
            throw new InvalidDataException("A stored cold part does not begin with format 1.");
        }

        return bytes.Length == 1 ? null : Read<object>(bytes[1..]);
    }

    private T Read<T>(ReadOnlyMemory<byte> bytes) =>
        serializer.Deserialize<object>(bytes) is T value
            ? value
            : throw new InvalidDataException($"Stored bytes do not hold a {typeof(T).Name}.");

    private byte[] Finish(ArrayBufferWriter<byte> scratch, object value)
    {
        serializer.Serialize<object, ArrayBufferWriter<byte>>(value, scratch);
        var bytes = scratch.WrittenSpan.ToArray();
        t_scratch = scratch.Capacity <= ScratchBytesKept ? scratch : null;
        return bytes;
    }

    private static ArrayBufferWriter<byte> Scratch()
    {
        var scratch = t_scratch ??= new ArrayBufferWriter<byte>(4 * 1024);
        scratch.ResetWrittenCount();
        return scratch;
    }
}
