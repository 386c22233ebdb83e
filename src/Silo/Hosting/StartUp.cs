namespace Muster.Silo.Hosting;

/// <summary>What a silo does once it serves grains: the first administrator exists, and every partition's clock runs.</summary>
internal sealed class StartUp(Administrator administrator, PartitionClocks clocks) : IStartupTask
{
    public async Task Execute(CancellationToken cancellationToken)
    {
        await administrator.EnsureAsync();
        await clocks.StartAllAsync(cancellationToken);
        clocks.FollowMembership();
    }
}
