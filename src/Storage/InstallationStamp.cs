using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>The installation's random id in every partition, written at the first start and verified at each.</summary>
internal sealed class InstallationStamp(IDatabase database, PartitionMap partitions, IDurabilityBarrier barrier)
{
    /// <summary>The id. Throws when a partition that had it carries another or none.</summary>
    public async Task<RedisValue> VerifyAsync(CancellationToken cancellationToken)
    {
        await database.StringSetAsync(RecordLayout.InstallationKey, RandomId.Next().ToString("N"), when: When.NotExists)
            .ConfigureAwait(false);
        var id = await database.StringGetAsync(RecordLayout.InstallationKey).ConfigureAwait(false);
        var isStamped = await database.StringGetAsync(RecordLayout.StampedKey).ConfigureAwait(false) == id;
        var keys = Enumerable.Range(0, partitions.Count).Select(partition => (RedisKey)RecordLayout.PartitionKey(partition)).ToArray();
        if (!isStamped)
        {
            // Cut off in the middle it is done again: nothing was committed before the last one.
            await Task.WhenAll(keys.Select(key => database.HashSetAsync(key, RecordLayout.InstallationField, id, When.NotExists)))
                .ConfigureAwait(false);
            await database.StringSetAsync(RecordLayout.StampedKey, id).ConfigureAwait(false);
            await barrier.PassAsync(cancellationToken).ConfigureAwait(false);
        }

        var reads = keys.Select(key => database.HashGetAsync(key, RecordLayout.InstallationField));
        var found = await Task.WhenAll(reads).ConfigureAwait(false);
        var lost = Array.FindIndex(found, value => value != id);
        return lost < 0
            ? id
            : throw new InvalidOperationException(
                $"Partition {lost} of the store does not belong to its other parts: some of the data was lost or replaced. "
                + "Restore the store from a backup; nothing is read or written.");
    }
}
