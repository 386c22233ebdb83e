using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Silo.Hosting;

/// <summary>What a silo does once it serves grains: the first administrator exists, and every partition's clock runs.</summary>
internal sealed class StartUp(Administrator administrator, IGrainFactory grains, PartitionMap partitions) : IStartupTask
{
    /// <summary>Clocks started at a time.</summary>
    private const int BatchSize = 32;

    public async Task Execute(CancellationToken cancellationToken)
    {
        await administrator.EnsureAsync();
        foreach (var batch in Enumerable.Range(0, partitions.Count).Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.WhenAll(batch.Select(partition => grains.GetDueList(partition).StartAsync()));
        }
    }
}
