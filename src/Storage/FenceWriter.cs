using System.Globalization;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

internal sealed class FenceWriter(StoreConnection connection, PartitionMap map, IDurabilityBarrier barrier) : IFenceWriter
{
    public async Task RaiseAsync(IReadOnlyCollection<int> partitions, string fence, long value, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitions);
        ArgumentException.ThrowIfNullOrEmpty(fence);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fence.Length, CommitLimits.FenceNameCharactersMax, nameof(fence));
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, CommitLimits.ScriptNumberMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(partitions.Count, map.Count, nameof(partitions));

        RedisValue[] values = [RecordLayout.FenceField(fence), value.ToString(CultureInfo.InvariantCulture)];
        var raises = partitions.Select(partition => RaiseOneAsync(partition, values, cancellationToken)).ToArray();
        await Task.WhenAll(raises);
        await barrier.PassAsync(cancellationToken);
    }

    private Task<RedisResult> RaiseOneAsync(int partition, RedisValue[] values, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [RecordLayout.PartitionKey(partition)];
        return connection.RunAsync(database => StoreScript.RaiseFence.EvaluateAsync(database, keys, values), cancellationToken);
    }
}
