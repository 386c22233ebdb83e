using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Muster.Contracts.Commit;

namespace Muster.Storage;

/// <summary>
/// The names and bytes in a partition's hash. Final: they are data on disk (ADR 0002), and golden bytes guard them.
/// Numbers are big-endian.
/// </summary>
internal static class RecordLayout
{
    public const string PartitionsKey = "muster:partitions";
    public const string HeadField = "h";
    public const string RecordFieldPattern = "r:*";

    /// <summary>Random, made at the first start; in every partition, so that one that was emptied or replaced is noticed.</summary>
    public const string InstallationField = "i";

    /// <summary>The highest sequence of the feed that is given up.</summary>
    public const string TrimField = "t";

    /// <summary>The highest sequence of the feed that is taken away; not above <see cref="TrimField"/>.</summary>
    public const string RemovedField = "d";

    public const string InstallationKey = "muster:installation";

    /// <summary>Written when all partitions have the installation's id.</summary>
    public const string StampedKey = "muster:stamped";

    /// <summary>First byte of every record and cold part.</summary>
    public const byte Format = 1;

    /// <summary>Version (8) and commit id (16).</summary>
    public const int StampBytes = 24;

    /// <summary>Format (1), version (8), commit id (16), due (8).</summary>
    public const int HeaderBytes = 1 + StampBytes + 8;

    private const string RecordPrefix = "r:";
    private const string ColdPrefix = "k:";

    /// <summary>The braces are the hash tag: all fields and keys of a partition stay together on a cluster.</summary>
    public static string PartitionKey(int partition) => string.Create(CultureInfo.InvariantCulture, $"{{p{partition}}}:c");

    /// <summary>The feed's durable readers by name: sequence, fingerprint (16 hex digits), most entries it holds up (0: all).</summary>
    public static string ReadersKey(int partition) => string.Create(CultureInfo.InvariantCulture, $"{{p{partition}}}:q");

    public static string RecordField(RecordKey record) => string.Concat(RecordPrefix, record.Kind, "/", record.Key);

    public static string VersionField(RecordKey record) => string.Concat("v:", record.Kind, "/", record.Key);

    public static string ColdField(RecordKey record) => string.Concat(ColdPrefix, record.Kind, "/", record.Key);

    /// <summary>The cold field beside a record's field.</summary>
    public static string ColdFieldOf(string recordField) => string.Concat(ColdPrefix, recordField.AsSpan(RecordPrefix.Length));

    public static string FenceField(string fence) => "x:" + fence;

    public static string FactField(long sequence) => string.Create(CultureInfo.InvariantCulture, $"f{sequence}");

    public static RecordKey ParseRecordField(string field) => RecordKey.Parse(field[RecordPrefix.Length..]);

    /// <summary>What the version field holds and the script compares.</summary>
    public static byte[] Stamp(long version, Guid commitId)
    {
        var stamp = new byte[StampBytes];
        WriteStamp(stamp, version, commitId);
        return stamp;
    }

    /// <summary>A record that does not exist yet has no version field, which the script sees as empty.</summary>
    public static byte[] ExpectedVersion(long version)
    {
        if (version == 0)
        {
            return [];
        }

        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, version);
        return bytes;
    }

    public static void WriteHeader(IBufferWriter<byte> writer, RecordHeader header)
    {
        var span = writer.GetSpan(HeaderBytes);
        span[0] = Format;
        WriteStamp(span[1..], header.Version, header.CommitId);
        BinaryPrimitives.WriteInt64BigEndian(span[(1 + StampBytes)..], header.DueAt?.ToUnixTimeMilliseconds() ?? 0);
        writer.Advance(HeaderBytes);
    }

    public static RecordHeader ReadHeader(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes || bytes[0] != Format)
        {
            throw new InvalidDataException("A stored record does not begin with a header of format 1.");
        }

        var due = BinaryPrimitives.ReadInt64BigEndian(bytes[(1 + StampBytes)..]);
        return new RecordHeader(
            BinaryPrimitives.ReadInt64BigEndian(bytes[1..]),
            new Guid(bytes[9..25], bigEndian: true),
            due == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(due));
    }

    private static void WriteStamp(Span<byte> span, long version, Guid commitId)
    {
        BinaryPrimitives.WriteInt64BigEndian(span, version);
        commitId.TryWriteBytes(span[8..], bigEndian: true, out _);
    }
}

/// <summary>What stands before a record's payload.</summary>
internal readonly record struct RecordHeader(long Version, Guid CommitId, DateTimeOffset? DueAt);
