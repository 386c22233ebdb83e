using System.Globalization;
using Microsoft.Extensions.Options;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// Two marks stand in the partition's hash: what is given up (readers look at it), and what is taken away. The first is raised before
/// anything goes and the second after; between them a crash leaves entries that the next trim takes away. The first is chosen together
/// with the durable readers, in one script.
/// </summary>
internal sealed class FeedTrimmer(StoreConnection connection, IOptions<StoreOptions> options) : IFeedTrimmer
{
    /// <summary>What the script replies before the readers that are let go.</summary>
    private const int Heading = 6;

    public async Task<FeedTrim> TrimAsync(int partition, CancellationToken cancellationToken)
    {
        var reply = await RaiseMarkAsync(partition, cancellationToken);
        var (head, mark, removed) = ((long)reply[1], (long)reply[2], (long)reply[3]);
        await RemoveAsync(partition, removed, mark, cancellationToken);
        var letGo = ImmutableArray.CreateBuilder<string>();
        for (var at = Heading; at < reply.Length; at += 2)
        {
            await DropAsync(partition, (RedisValue)reply[at], (RedisValue)reply[at + 1], cancellationToken);
            letGo.Add((string)reply[at]!);
        }

        var slowest = (string)reply[4]!;
        return new FeedTrim(
            head, mark, slowest.Length == 0 ? null : new ReaderLag(slowest, head - (long)reply[5]), letGo.ToImmutable());
    }

    private async Task<RedisResult[]> RaiseMarkAsync(int partition, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [RecordLayout.PartitionKey(partition), RecordLayout.ReadersKey(partition)];
        await connection.OpenAsync(cancellationToken);
        RedisValue[] values = [connection.Installation, options.Value.FeedEntriesKept];
        var reply = (RedisResult[])(await connection.RunAsync(
            database => StoreScript.RaiseTrimMark.EvaluateAsync(database, keys, values), cancellationToken))!;
        return (long)reply[0] == ReaderVerdict.NotMine ? throw StoreConnection.Lost(partition) : reply;
    }

    private async Task RemoveAsync(int partition, long removed, long mark, CancellationToken cancellationToken)
    {
        if (mark <= removed)
        {
            return;
        }

        RedisKey key = RecordLayout.PartitionKey(partition);
        for (var at = removed; at < mark; at += CommitLimits.TrimEntriesPerStep)
        {
            var count = (int)Math.Min(mark - at, CommitLimits.TrimEntriesPerStep);
            RedisValue[] facts = [.. Enumerable.Range(1, count).Select(step => (RedisValue)RecordLayout.FactField(at + step))];
            await connection.RunAsync(database => database.HashDeleteAsync(key, facts), cancellationToken);
        }

        // By the script that raises fences, which never lowers anything.
        RedisKey[] keys = [key];
        RedisValue[] values = [RecordLayout.RemovedField, mark.ToString(CultureInfo.InvariantCulture)];
        await connection.RunAsync(database => StoreScript.RaiseFence.EvaluateAsync(database, keys, values), cancellationToken);
    }

    private Task<RedisResult> DropAsync(int partition, RedisValue reader, RedisValue stored, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [RecordLayout.ReadersKey(partition)];
        RedisValue[] values = [reader, stored];
        return connection.RunAsync(database => StoreScript.DropReader.EvaluateAsync(database, keys, values), cancellationToken);
    }
}
