using Google.Protobuf;
using Muster.Cli.Session;
using Muster.Protocol;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Transfers;

/// <summary>
/// An export as a file: the parts as the server sent them, each behind its length as a varint (what protobuf libraries call delimited).
/// </summary>
internal static class ExportFile
{
    /// <summary>Far above what a server sends as one part.</summary>
    private const int PartBytesMax = 8 * 1024 * 1024;

    private const int BufferBytes = 1024 * 1024;

    /// <summary>The file holds all that the installation knows of its devices: nobody else reads it.</summary>
    public static FileStream Create(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = BufferBytes,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    public static FileStream Open(FileInfo file) => UploadedFile.Open(file, BufferBytes);

    public static void Append(FileStream file, ByteString part)
    {
        using var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true);
        writer.Write7BitEncodedInt(part.Length);
        writer.Write(part.Span);
    }

    /// <summary>
    /// The parts with the place behind each, up to the first that is not whole, or not in the chain: an export that broke off ends there.
    /// </summary>
    public static IEnumerable<(V1.ExportPart Part, ByteString Bytes, long End)> Read(FileStream file)
    {
        var chain = new ExportChain();
        using var reader = new BinaryReader(file, System.Text.Encoding.UTF8, leaveOpen: true);
        while (ReadPart(reader) is { } bytes && Parse(bytes) is { } part)
        {
            if (part.PartCase != V1.ExportPart.PartOneofCase.Mark)
            {
                chain.Add(bytes.Span);
            }
            else if (!chain.Value.SequenceEqual(part.Mark.Sha256.Span))
            {
                yield break;
            }

            yield return (part, bytes, file.Position);
        }
    }

    /// <summary>The last mark and the place behind it; null when there is none.</summary>
    public static (V1.ExportMark Mark, long End)? LastMark(FileStream file)
    {
        (V1.ExportMark, long)? last = null;
        foreach (var (part, _, end) in Read(file))
        {
            if (part.PartCase == V1.ExportPart.PartOneofCase.Mark)
            {
                last = (part.Mark, end);
            }
        }

        return last;
    }

    private static ByteString? ReadPart(BinaryReader reader)
    {
        try
        {
            var length = reader.Read7BitEncodedInt();
            if (length is <= 0 or > PartBytesMax)
            {
                return null;
            }

            var bytes = reader.ReadBytes(length);
            return bytes.Length == length ? UnsafeByteOperations.UnsafeWrap(bytes) : null;
        }
        catch (Exception exception) when (exception is EndOfStreamException or FormatException)
        {
            return null;
        }
    }

    private static V1.ExportPart? Parse(ByteString bytes)
    {
        try
        {
            return V1.ExportPart.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
