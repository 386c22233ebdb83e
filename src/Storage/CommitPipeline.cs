using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// All commits on their way. A lone one leaves at once; what piles up while calls are under way leaves together with the next: many of a
/// partition in one write and, where one server holds all partitions, those of many partitions in one call. A partition has at most one
/// call under way; waiting for durability overlaps with the next.
/// </summary>
internal sealed class CommitPipeline(StoreConnection connection, IDurabilityBarrier barrier, IServiceProvider services)
{
    private readonly Lock _gate = new();

    /// <summary>At most one per partition, so at most 4,096.</summary>
    private readonly Dictionary<int, PartitionQueue> _partitions = [];

    /// <summary>Those that have something waiting and no call under way, in the order in which that became so.</summary>
    private readonly Queue<PartitionQueue> _ready = new();

    /// <summary>Optional, and looked up late: whoever is nudged reads from this store.</summary>
    private readonly Lazy<IFeedNudge?> _nudge = new(services.GetService<IFeedNudge>);

    private int _waiting;
    private int _calls;

    /// <summary>On a cluster partitions have servers of their own, and one that does not answer keeps nobody else waiting.</summary>
    private int CallsMax => connection.HoldsAllPartitions ? CommitLimits.CallsMax : PartitionMap.CountMax;

    private int PartitionsPerCall => connection.HoldsAllPartitions ? CommitLimits.CallCommitsMax : 1;

    /// <summary>Returns when the commit is durable.</summary>
    public Task CommitAsync(PendingCommit commit)
    {
        lock (_gate)
        {
            Enqueue(commit);
            if (_ready.Count == 0 || _calls >= CallsMax)
            {
                return commit.Done;
            }

            _calls++;
        }

        // Begun here, which saves a change of threads. Grains call from their own scheduler; calls serve many grains and must not go on
        // on one of them, so that nothing below returns to the caller's context.
        _ = SendAllAsync();
        return commit.Done;
    }

    private void Enqueue(PendingCommit commit)
    {
        if (!_partitions.TryGetValue(commit.Partition, out var partition))
        {
            _partitions[commit.Partition] = partition = new PartitionQueue(commit.Partition);
        }

        if (_waiting >= CommitLimits.WaitingCommitsMax || partition.Waiting.Count >= CommitLimits.PartitionWaitingCommitsMax)
        {
            throw new StoreUnavailableException(
                $"{partition.Waiting.Count} commits wait for partition {commit.Partition} already, {_waiting} in all.");
        }

        _waiting++;
        partition.Waiting.Enqueue(commit);
        if (!partition.IsListed)
        {
            partition.IsListed = true;
            _ready.Enqueue(partition);
        }
    }

    private async Task SendAllAsync()
    {
        while (TakeCall() is { } call)
        {
            try
            {
                var verdicts = await SendAsync(call).ConfigureAwait(false);
                _ = AcknowledgeAsync(call, verdicts);
            }
            catch (Exception exception)
            {
                call.Fail(exception);
            }

            Release(call);
        }
    }

    /// <summary>Null, and one call fewer, when nothing is left that could be sent.</summary>
    private CommitCall? TakeCall()
    {
        lock (_gate)
        {
            if (_ready.Count == 0)
            {
                _calls--;
                return null;
            }

            var call = new CommitCall();
            while (call.Partitions.Count < PartitionsPerCall && _ready.TryPeek(out var next) && call.TryTake(next))
            {
                _ready.Dequeue();
            }

            _waiting -= call.Commits.Count;
            return call;
        }
    }

    private void Release(CommitCall call)
    {
        lock (_gate)
        {
            foreach (var (partition, _) in call.Partitions)
            {
                partition.IsListed = partition.Waiting.Count > 0;
                if (partition.IsListed)
                {
                    _ready.Enqueue(partition);
                }
            }
        }
    }

    private async Task<string> SendAsync(CommitCall call)
    {
        barrier.CheckRoom();
        await connection.OpenAsync(CancellationToken.None).ConfigureAwait(false);
        var keys = call.Keys();
        var values = call.Arguments(connection.Installation, connection.FeedEntriesMax);
        var verdicts = (string?)await connection.RunAsync(
            database => StoreScript.Commit.EvaluateAsync(database, keys, values), CancellationToken.None).ConfigureAwait(false);
        return verdicts?.Length == call.Commits.Count
            ? verdicts
            : throw new StoreUnavailableException($"The store answered {verdicts?.Length ?? 0} verdicts to {call.Commits.Count} commits.");
    }

    /// <summary>
    /// A refusal waits for the barrier too: what it was compared with may be another's commit that is not durable yet.
    /// </summary>
    private async Task AcknowledgeAsync(CommitCall call, string verdicts)
    {
        try
        {
            await barrier.PassAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            call.Fail(exception);
            return;
        }

        foreach (var partition in call.Acknowledge(verdicts))
        {
            _nudge.Value?.Nudge(partition);
        }
    }
}

/// <summary>What waits for one partition.</summary>
internal sealed class PartitionQueue(int partition)
{
    public int Partition { get; } = partition;

    public RedisKey Key { get; } = RecordLayout.PartitionKey(partition);

    public Queue<PendingCommit> Waiting { get; } = new();

    /// <summary>Ready to be taken, or with a call under way.</summary>
    public bool IsListed { get; set; }
}
