using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;

namespace Muster.Silo.Hosting;

/// <summary>
/// Tells a partition's inventory that its feed has grown. Nudges of one partition within <see cref="Delay"/> are one message:
/// under load the tail reads in batches instead of once per commit.
/// </summary>
internal sealed class FeedNudge(IServiceProvider services, PartitionMap partitions, TimeProvider clock) : IFeedNudge
{
    /// <summary>A person who watches does not see it, a list does not wait for it; at 256 busy partitions 2,560 reads a second.</summary>
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);

    private readonly int[] _pending = new int[partitions.Count];

    /// <summary>Kept: making a reference reads the interface's attributes, and a busy partition is nudged ten times a second.</summary>
    private readonly IInventoryGrain?[] _inventories = new IInventoryGrain?[partitions.Count];

    public void Nudge(int partition)
    {
        if (Interlocked.Exchange(ref _pending[partition], 1) == 0)
        {
            _ = TellAsync(partition);
        }
    }

    private async Task TellAsync(int partition)
    {
        try
        {
            await Task.Delay(Delay, clock);
            Volatile.Write(ref _pending[partition], 0);

            // Resolved late: the store is opened before the silo has its grain factory.
            var inventory = _inventories[partition] ??= services.GetRequiredService<IGrainFactory>().GetInventory(partition);
            await inventory.NudgeAsync();
        }
        catch (Exception fault) when (fault is OrleansException or TimeoutException or ObjectDisposedException)
        {
            // The inventory's own backstop reads within a second.
        }
    }
}
