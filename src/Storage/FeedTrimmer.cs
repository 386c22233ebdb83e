using System.Globalization;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// Two marks stand in the partition's hash: what is given up (readers look at it), and what is taken away. The first is raised before
/// anything goes and the second after; between them a crash leaves entries that the next trim takes away.
/// </summary>
internal sealed class FeedTrimmer(StoreConnection connection, IOptions<StoreOptions> options) : IFeedTrimmer
{
    public async Task TrimAsync(int partition, CancellationToken cancellationToken)
    {
        RedisKey key = RecordLayout.PartitionKey(partition);
        RedisValue[] fields =
            [RecordLayout.InstallationField, RecordLayout.HeadField, RecordLayout.TrimField, RecordLayout.RemovedField];
        var values = await connection.RunAsync(database => database.HashGetAsync(key, fields), cancellationToken);
        connection.Verify(partition, values[0]);
        var (head, given, removed) = (NumberOf(values[1]), NumberOf(values[2]), NumberOf(values[3]));
        var mark = Math.Max(given, head - options.Value.FeedEntriesKept);
        if (mark <= removed)
        {
            return;
        }

        await RaiseAsync(key, RecordLayout.TrimField, mark, cancellationToken);
        for (var at = removed; at < mark; at += CommitLimits.TrimEntriesPerStep)
        {
            var count = (int)Math.Min(mark - at, CommitLimits.TrimEntriesPerStep);
            RedisValue[] facts = [.. Enumerable.Range(1, count).Select(step => (RedisValue)RecordLayout.FactField(at + step))];
            await connection.RunAsync(database => database.HashDeleteAsync(key, facts), cancellationToken);
        }

        await RaiseAsync(key, RecordLayout.RemovedField, mark, cancellationToken);
    }

    private Task<RedisResult> RaiseAsync(RedisKey key, string field, long value, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [key];
        RedisValue[] values = [field, value.ToString(CultureInfo.InvariantCulture)];
        return connection.RunAsync(database => StoreScript.RaiseFence.EvaluateAsync(database, keys, values), cancellationToken);
    }

    private static long NumberOf(RedisValue value) => value.IsNull ? 0 : long.Parse((string)value!, CultureInfo.InvariantCulture);
}
