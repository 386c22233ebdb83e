using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class RecordArchive(
    StoreConnection connection, CommitPipeline pipeline, PayloadSerializer payloads, FactEncoder facts, PartitionMap partitions)
    : IRecordArchive
{
    public async Task<RecordPage> ReadAsync(
        int partition, string kind, string keys, string after, CancellationToken cancellationToken)
    {
        var pattern = RecordLayout.RecordField(new RecordKey(kind, keys));
        var step = await RecordScan.StepAsync(connection, partition, pattern, after, cancellationToken);
        if (step.Pairs.Length == 0)
        {
            return new RecordPage([], step.Next);
        }

        // Both parts anew and in one request: a commit between the two would leave a record that never was.
        RedisKey key = RecordLayout.PartitionKey(partition);
        var names = step.Pairs.Where((_, index) => index % 2 == 0).Select(field => (string)field!).ToArray();
        RedisValue[] fields =
        [
            .. names.Select(name => (RedisValue)name), .. names.Select(name => (RedisValue)RecordLayout.ColdFieldOf(name)),
            RecordLayout.InstallationField,
        ];
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), cancellationToken);
        connection.Verify(partition, values[^1]);
        if (values[..names.Length].Any(value => value.IsNull))
        {
            throw new ScanBrokenException($"The store lost records while partition {partition} was scanned: begin again.");
        }

        return new RecordPage([.. names.Select((name, at) => Pack(name, values[at], values[names.Length + at]))], step.Next);
    }

    public StoredRecord Unpack(PackedRecord packed)
    {
        ArgumentNullException.ThrowIfNull(packed);
        var (header, record) = payloads.ReadStored(packed.Key.ToString(), packed.Bytes.AsMemory(), packed.Cold.AsMemory());
        return new StoredRecord(packed.Key, header.Version, record, header.DueAt);
    }

    public PackedRecord Repack(PackedRecord packed, ICommitRecord record)
    {
        ArgumentNullException.ThrowIfNull(packed);
        return packed with { Bytes = [.. payloads.Record(RecordLayout.ReadHeader(packed.Bytes.AsSpan()), record)] };
    }

    public async Task<bool> WriteAsync(PackedRecord packed, CommitAttachments attachments)
    {
        ArgumentNullException.ThrowIfNull(packed);
        ArgumentNullException.ThrowIfNull(attachments);
        var header = RecordLayout.ReadHeader(packed.Bytes.AsSpan());
        var commit = new PendingCommit
        {
            Partition = partitions.Of(packed.Key),
            Record = packed.Key,
            ExpectedVersion = 0,
            Version = header.Version,
            CommitId = header.CommitId,
            RecordBytes = [.. packed.Bytes],
            ColdBytes = packed.Cold.IsEmpty ? null : [.. packed.Cold],
            Facts = facts.Encode(packed.Key, header.Version, attachments),
            Fences = [],
        };
        commit.Check();
        try
        {
            await pipeline.CommitAsync(commit);
            return true;
        }
        catch (CommitConflictException)
        {
            return false;
        }
    }

    private static PackedRecord Pack(string field, ReadOnlyMemory<byte> bytes, ReadOnlyMemory<byte> cold) =>
        new(RecordLayout.ParseRecordField(field), [.. bytes.Span], [.. cold.Span]);
}
