namespace Muster.Contracts.Inventory;

/// <summary>The only place where a partition's number becomes a grain key, and where the reader's is written.</summary>
public static class InventoryGrainFactoryExtensions
{
    public static IInventoryGrain GetInventory(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IInventoryGrain>(partition);
    }

    public static IInventoryReaderGrain GetInventoryReader(this IGrainFactory grains)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IInventoryReaderGrain>(0);
    }

    public static IDueListGrain GetDueList(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDueListGrain>(partition);
    }
}
