using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;

namespace Muster.Storage;

/// <summary>Sends each commit down the road of its partition.</summary>
internal sealed class CommitPipeline(StoreConnection connection, IDurabilityBarrier barrier, IServiceProvider services)
{
    /// <summary>At most one per partition, so at most 4,096.</summary>
    private readonly ConcurrentDictionary<int, PartitionCommits> _partitions = new();

    /// <summary>Optional, and looked up late: whoever is nudged reads from this store.</summary>
    private readonly Lazy<IFeedNudge?> _nudge = new(services.GetService<IFeedNudge>);

    public Task CommitAsync(PendingCommit commit) =>
        _partitions.GetOrAdd(commit.Partition, Create).CommitAsync(commit);

    private PartitionCommits Create(int partition) =>
        new(RecordLayout.PartitionKey(partition), connection, barrier, committed => _nudge.Value?.Nudge(committed));
}
