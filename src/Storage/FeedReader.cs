using System.Globalization;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class FeedReader(StoreConnection connection, PayloadSerializer payloads) : IFeedReader
{
    public async Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        var head = await connection.RunAsync(database => database.HashGetAsync(key, RecordLayout.HeadField), cancellationToken);
        return head.IsNull ? 0 : long.Parse((string)head!, CultureInfo.InvariantCulture);
    }

    public async Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(entriesMax);
        var head = await GetHeadAsync(partition, cancellationToken);
        var count = (int)Math.Min(head - after, Math.Min(entriesMax, CommitLimits.FeedReadEntriesMax));
        if (count <= 0)
        {
            return [];
        }

        var fields = new RedisValue[count];
        for (var i = 0; i < count; i++)
        {
            fields[i] = RecordLayout.FactField(after + 1 + i);
        }

        RedisKey key = RecordLayout.PartitionKey(partition);
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), cancellationToken);
        var entries = ImmutableArray.CreateBuilder<FeedEntry>(count);
        for (var i = 0; i < count; i++)
        {
            var sequence = after + 1 + i;
            entries.Add(values[i].IsNull
                ? throw new InvalidDataException($"The feed of partition {partition} has no entry {sequence} below its head {head}.")
                : payloads.ReadEntry(values[i]) with { Sequence = sequence });
        }

        return entries.MoveToImmutable();
    }
}
