using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>The installation's random id in every partition, written at the first start and verified at each.</summary>
internal sealed class InstallationStamp(IDatabase database, PartitionMap partitions, IDurabilityBarrier barrier)
{
    /// <summary>The id. Throws when a partition that had it carries another or none.</summary>
    public async Task<RedisValue> VerifyAsync(CancellationToken cancellationToken)
    {
        var keys = Enumerable.Range(0, partitions.Count).Select(partition => (RedisKey)RecordLayout.PartitionKey(partition)).ToArray();
        var id = await database.StringGetAsync(RecordLayout.InstallationKey).ConfigureAwait(false);
        if (id.IsNull)
        {
            id = await BeginAsync(keys).ConfigureAwait(false);
        }

        var isStamped = await database.StringGetAsync(RecordLayout.StampedKey).ConfigureAwait(false) == id;
        if (!isStamped)
        {
            // Cut off in the middle it is done again: nothing was committed before the last one.
            await Task.WhenAll(keys.Select(key => database.HashSetAsync(key, RecordLayout.InstallationField, id, When.NotExists)))
                .ConfigureAwait(false);
            await database.StringSetAsync(RecordLayout.StampedKey, id).ConfigureAwait(false);
            await barrier.PassAsync(cancellationToken).ConfigureAwait(false);
        }

        var found = await ReadAsync(keys).ConfigureAwait(false);
        var lost = Array.FindIndex(found, value => value != id);
        return lost < 0
            ? id
            : throw new InvalidOperationException(
                $"Partition {lost} of the store does not belong to its other parts: some of the data was lost or replaced. "
                + "Restore the store from a backup; nothing is read or written.");
    }

    /// <summary>
    /// A new id for a store that has none. The key is written before any partition, so a partition that has an id without it has lost
    /// the key, and nobody knows what else: then nothing is written.
    /// </summary>
    private async Task<RedisValue> BeginAsync(RedisKey[] keys)
    {
        var found = await ReadAsync(keys).ConfigureAwait(false);
        var partition = Array.FindIndex(found, value => !value.IsNull);
        if (partition < 0)
        {
            await database.StringSetAsync(RecordLayout.InstallationKey, RandomId.Next().ToString("N"), when: When.NotExists)
                .ConfigureAwait(false);
        }

        // Another host may have begun meanwhile, and its id is the one.
        var id = await database.StringGetAsync(RecordLayout.InstallationKey).ConfigureAwait(false);
        return !id.IsNull
            ? id
            : throw new InvalidOperationException(
                $"Partition {partition} of the store has data, but the key {RecordLayout.InstallationKey} is gone: some of the data was "
                + "lost (of a Redis look at maxmemory-policy, which has to be noeviction). Restore the store from a backup; nothing is "
                + "written.");
    }

    private async Task<RedisValue[]> ReadAsync(RedisKey[] keys) =>
        await Task.WhenAll(keys.Select(key => database.HashGetAsync(key, RecordLayout.InstallationField))).ConfigureAwait(false);
}
