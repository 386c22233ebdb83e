namespace Muster.Contracts.Inventory;

/// <summary>The only place where a partition's number becomes a grain key.</summary>
public static class InventoryGrainFactoryExtensions
{
    public static IInventoryGrain GetInventory(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IInventoryGrain>(partition);
    }

    public static IDueListGrain GetDueList(this IGrainFactory grains, int partition)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDueListGrain>(partition);
    }
}
