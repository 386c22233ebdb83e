using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class RecordScanner(StoreConnection connection, PayloadSerializer payloads) : IRecordScanner
{
    public async IAsyncEnumerable<StoredRecord> ScanAsync(int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var installation = await connection.RunAsync(
            database => database.HashGetAsync(key, RecordLayout.InstallationField), cancellationToken);
        connection.Verify(partition, installation);
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
            command[1] = cursor;
            var pairs = (RedisValue[]?)parts[1] ?? [];
            if (pairs.Length == 0)
            {
                continue;
            }

            // Read behind the records, cold parts are never older: one that is newer comes again with its own fact.
            var colds = await connection.RunAsync(database => database.HashGetAsync(key, ColdFields(pairs)), cancellationToken);
            for (var i = 0; i < colds.Length; i++)
            {
                yield return Decode((string)pairs[2 * i]!, pairs[(2 * i) + 1], colds[i]);
            }
        }
        while (cursor != "0");
    }

    private static RedisValue[] ColdFields(RedisValue[] pairs) =>
        [.. pairs.Where((_, index) => index % 2 == 0).Select(field => (RedisValue)RecordLayout.ColdFieldOf((string)field!))];

    private StoredRecord Decode(string field, ReadOnlyMemory<byte> bytes, RedisValue cold)
    {
        var key = RecordLayout.ParseRecordField(field);
        var (header, record) = payloads.ReadStored(key.ToString(), bytes, cold);
        return new StoredRecord(key, header.Version, record, header.DueAt);
    }
}
