using System.Runtime.CompilerServices;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class RecordScanner(StoreConnection connection, PayloadSerializer payloads) : IRecordScanner
{
    public async IAsyncEnumerable<StoredRecord> ScanAsync(int partition, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var next = "";
        while (next is not null)
        {
            var step = await RecordScan.StepAsync(connection, partition, RecordLayout.RecordFieldPattern, next, cancellationToken);
            next = step.Next;
            if (step.Pairs is not { Length: > 0 } pairs)
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
    }

    public Task<string> GetRunAsync(int partition, CancellationToken cancellationToken) =>
        RecordScan.GetRunAsync(connection, partition, cancellationToken);

    private static RedisValue[] ColdFields(RedisValue[] pairs) =>
        [.. pairs.Where((_, index) => index % 2 == 0).Select(field => (RedisValue)RecordLayout.ColdFieldOf((string)field!))];

    private StoredRecord Decode(string field, ReadOnlyMemory<byte> bytes, RedisValue cold)
    {
        var key = RecordLayout.ParseRecordField(field);
        var (header, record) = payloads.ReadStored(key.ToString(), bytes, cold);
        return new StoredRecord(key, header.Version, record, header.DueAt);
    }
}
