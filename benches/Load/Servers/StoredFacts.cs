using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Domain.Devices;
using Muster.Storage;

namespace Muster.Load.Servers;

/// <summary>Reads the feeds of a store whose silo is gone.</summary>
internal static class StoredFacts
{
    private const int EntriesPerRead = 1_000;
    private const int PartitionsAtOnce = 8;

    /// <summary>How many inventories were committed: every one that is news leaves exactly one such fact.</summary>
    public static async Task<long> CountInventoriesAsync(string connectionString)
    {
        await using var services = new ServiceCollection()
            .AddMusterStorage(store => store.ConnectionString = connectionString)
            .BuildServiceProvider();
        var feed = services.GetRequiredService<IFeedReader>();
        var total = 0L;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, services.GetRequiredService<PartitionMap>().Count),
            new ParallelOptions { MaxDegreeOfParallelism = PartitionsAtOnce },
            async (partition, cancellationToken) =>
                Interlocked.Add(ref total, await CountAsync(feed, partition, cancellationToken)));
        return total;
    }

    private static async Task<long> CountAsync(IFeedReader feed, int partition, CancellationToken cancellationToken)
    {
        var (count, position) = (0L, 0L);
        while (await feed.ReadAsync(partition, position, EntriesPerRead, cancellationToken) is { IsEmpty: false } entries)
        {
            count += entries.Count(entry => entry.Fact is DeviceInventoryTaken);
            position = entries[^1].Sequence;
        }

        return count;
    }
}
