using Grpc.Core;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Maintenance;

/// <summary>Whether the installation shows what its records say.</summary>
internal sealed class MaintenanceService(IGrainFactory grains, PartitionMap partitions) : V1.Maintenance.MaintenanceBase
{
    /// <summary>Partitions at a time: each reads all its records, and the store serves devices meanwhile.</summary>
    private const int PartitionsAtOnce = 2;

    public override Task VerifyInventory(
        V1.VerifyInventoryRequest request,
        IServerStreamWriter<V1.VerifyInventoryResponse> responseStream,
        ServerCallContext context)
    {
        var chosen = request.HasPartition ? request.Partition : (int?)null;
        return ForEachAsync(chosen, VerifyAsync, responseStream, context.CancellationToken);
    }

    public override Task RebuildInventory(
        V1.RebuildInventoryRequest request,
        IServerStreamWriter<V1.RebuildInventoryResponse> responseStream,
        ServerCallContext context)
    {
        var chosen = request.HasPartition ? request.Partition : (int?)null;
        return ForEachAsync(chosen, RebuildAsync, responseStream, context.CancellationToken);
    }

    private async Task<V1.VerifyInventoryResponse> VerifyAsync(int partition)
    {
        var check = await grains.GetInventory(partition).VerifyAsync();
        return new V1.VerifyInventoryResponse
        {
            Partition = partition,
            Records = check.Records,
            FeedEntries = check.FeedEntries,
            Differences = check.Differences,
            Examples = { check.Examples },
            SlowestReader = check.SlowestReader?.Reader ?? "",
            SlowestReaderLag = check.SlowestReader?.Entries ?? 0,
            FeedHeldUp = check.SlowestReader?.IsAlarming == true,
        };
    }

    private async Task<V1.RebuildInventoryResponse> RebuildAsync(int partition)
    {
        await grains.GetInventory(partition).RebuildAsync();
        return new V1.RebuildInventoryResponse { Partition = partition };
    }

    /// <summary>In the order of the partitions, some at a time.</summary>
    private async Task ForEachAsync<T>(
        int? chosen, Func<int, Task<T>> action, IServerStreamWriter<T> responses, CancellationToken cancellationToken)
    {
        if (chosen >= partitions.Count)
        {
            throw FleetErrors.Invalid([("partition", $"0 to {partitions.Count - 1}")]);
        }

        var all = chosen is { } one ? [one] : Enumerable.Range(0, partitions.Count);
        foreach (var batch in all.Chunk(PartitionsAtOnce))
        {
            foreach (var response in await Task.WhenAll(batch.Select(action)))
            {
                await responses.WriteAsync(response, cancellationToken);
            }
        }
    }
}

/// <summary>What requests have to look like.</summary>
internal static class MaintenanceValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.VerifyInventoryRequest>((request, problems) => Check(request.Partition, problems))
        .Add<V1.RebuildInventoryRequest>((request, problems) => Check(request.Partition, problems));

    private static void Check(int partition, Problems problems) => problems.Require(partition >= 0, "partition", "0 or more");
}
