using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class RecordScanner(StoreConnection connection, PayloadSerializer payloads) : IRecordScanner
{
    public async IAsyncEnumerable<StoredRecord> ScanAsync(int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var cursor = RedisValue.EmptyString;
        var command = new object[] { key, "0", "MATCH", RecordLayout.RecordFieldPattern, "COUNT", CommitLimits.ScanFieldsPerStep };
        do
        {
            var reply = await connection.RunAsync(database => database.ExecuteAsync("HSCAN", command), cancellationToken);
            var parts = (RedisResult[]?)reply;
            if (parts is not { Length: 2 })
            {
                throw new InvalidDataException($"The scan of partition {partition} was answered with {reply.Resp2Type}.");
            }

            cursor = (RedisValue)parts[0];
            var pairs = (RedisValue[]?)parts[1] ?? [];
            for (var i = 0; i + 1 < pairs.Length; i += 2)
            {
                yield return Decode((string)pairs[i]!, pairs[i + 1]);
            }

            command[1] = cursor;
        }
        while (cursor != "0");
    }

    private StoredRecord Decode(string field, ReadOnlyMemory<byte> bytes)
    {
        var header = RecordLayout.ReadHeader(bytes.Span);
        return new StoredRecord(
            RecordLayout.ParseRecordField(field), header.Version, payloads.ReadRecord<ICommitRecord>(bytes), header.DueAt);
    }
}
