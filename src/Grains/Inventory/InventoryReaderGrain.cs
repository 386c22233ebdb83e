using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Orleans.Concurrency;

namespace Muster.Grains.Inventory;

/// <summary>Asks the partitions for whoever asks this silo.</summary>
[GrainType(GrainTypes.InventoryReader), StatelessWorker]
internal sealed class InventoryReaderGrain(PartitionMap partitions, IGrainFactory grains, TimeProvider clock) : Grain, IInventoryReaderGrain
{
    private readonly InventoryReader _reader = new([.. Enumerable.Range(0, partitions.Count).Select(grains.GetInventory)], clock);

    public Task<PageOfAll> ListAsync(RowQuery query) => _reader.ListAsync(query, CancellationToken.None);

    public Task<CountsOfAll> CountAsync(RowQuery query, string groupBy) => _reader.CountAsync(query, groupBy, CancellationToken.None);
}
