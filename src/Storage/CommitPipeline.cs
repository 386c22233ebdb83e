using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// All commits on their way. A lone one leaves at once; what piles up while calls are under way leaves together with the next: many of a
/// partition in one write and, where one server holds all partitions, those of many partitions in one call. A partition has at most one
/// call under way; waiting for durability overlaps with the next. While the store does not answer, callers are told before they stop
/// listening, and what was not sent by then never is.
/// </summary>
internal sealed class CommitPipeline : IAsyncDisposable
{
    private readonly StoreConnection _connection;
    private readonly IDurabilityBarrier _barrier;
    private readonly CommitPatience _patience;
    private readonly ITimer _look;

    /// <summary>Optional, and looked up late: whoever is nudged reads from this store.</summary>
    private readonly Lazy<IFeedNudge?> _nudge;

    private readonly Lock _gate = new();

    /// <summary>At most one per partition, so at most 4,096.</summary>
    private readonly Dictionary<int, PartitionQueue> _partitions = [];

    /// <summary>Those that have something waiting and no call under way, in the order in which that became so.</summary>
    private readonly Queue<PartitionQueue> _ready = new();

    /// <summary>Those that were sent, until their callers are told.</summary>
    private readonly HashSet<CommitCall> _underWay = [];

    /// <summary>Handed over and not told: they wait, are on their way, or are in a log that is not on disk yet.</summary>
    private int _untold;
    private int _calls;
    private bool _isLooking;

    public CommitPipeline(StoreConnection connection, IDurabilityBarrier barrier, CommitPatience patience, IServiceProvider services)
    {
        (_connection, _barrier, _patience) = (connection, barrier, patience);
        _nudge = new Lazy<IFeedNudge?>(services.GetService<IFeedNudge>);
        _look = TimeProvider.System.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>On a cluster partitions have servers of their own, and one that does not answer keeps nobody else waiting.</summary>
    private int CallsMax => _connection.HoldsAllPartitions ? CommitLimits.CallsMax : PartitionMap.CountMax;

    private int PartitionsPerCall => _connection.HoldsAllPartitions ? CommitLimits.CallCommitsMax : 1;

    /// <summary>Returns when the commit is durable.</summary>
    public Task CommitAsync(PendingCommit commit)
    {
        lock (_gate)
        {
            Enqueue(commit);
            LookSoon();
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

    public ValueTask DisposeAsync() => _look.DisposeAsync();

    private void Enqueue(PendingCommit commit)
    {
        if (!_partitions.TryGetValue(commit.Partition, out var partition))
        {
            _partitions[commit.Partition] = partition = new PartitionQueue(commit.Partition);
        }

        if (_untold >= CommitLimits.WaitingCommitsMax || partition.Waiting.Count >= CommitLimits.PartitionWaitingCommitsMax)
        {
            throw new StoreUnavailableException(
                $"{partition.Waiting.Count} commits wait for partition {commit.Partition} already, {_untold} in all.");
        }

        _untold++;
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
                Forget(call);
            }

            Release(call);
        }
    }

    /// <summary>Null, and one call fewer, when nothing is left that could be sent.</summary>
    private CommitCall? TakeCall()
    {
        lock (_gate)
        {
            var call = Take();
            if (call.Commits.Count == 0)
            {
                _calls--;
                return null;
            }

            _underWay.Add(call);
            return call;
        }
    }

    private CommitCall Take()
    {
        var (call, now) = (new CommitCall(), CommitPatience.Now);
        while (call.Partitions.Count < PartitionsPerCall && _ready.TryPeek(out var next))
        {
            RefuseTooLate(next, now);
            if (next.Waiting.Count > 0 && !call.TryTake(next))
            {
                break;
            }

            // With nothing left it is listed again when something comes.
            next.IsListed = call.Partitions.Count > 0 && call.Partitions[^1].Partition == next;
            _ready.Dequeue();
        }

        return call;
    }

    /// <summary>All of its callers were told: nobody is late any more.</summary>
    private void Forget(CommitCall call)
    {
        lock (_gate)
        {
            _underWay.Remove(call);
            _untold -= call.Commits.Count;
        }
    }

    /// <summary>Its partitions may be called again: the store has answered, whenever that is durable.</summary>
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
        _barrier.CheckRoom();
        await _connection.OpenAsync(CancellationToken.None).ConfigureAwait(false);
        var keys = call.Keys();
        var values = call.Arguments(_connection.Installation, _connection.FeedEntriesMax);
        var verdicts = (string?)await _connection.RunAsync(
            database => call.IsOver
                ? throw new StoreUnavailableException("All callers were told that the store does not answer.")
                : StoreScript.Commit.EvaluateAsync(database, keys, values),
            CancellationToken.None).ConfigureAwait(false);
        return verdicts?.Length == call.Commits.Count
            ? verdicts
            : throw new StoreUnavailableException($"The store answered {verdicts?.Length ?? 0} verdicts to {call.Commits.Count} commits.");
    }

    /// <summary>The oldest of a partition are first.</summary>
    private void RefuseTooLate(PartitionQueue partition, long now)
    {
        while (partition.Waiting.TryPeek(out var next) && _patience.IsOver(next, now))
        {
            partition.Waiting.Dequeue();
            _untold--;
            next.Fail(new StoreUnavailableException(
                $"The store does not answer: the commit of {next.Record} was not sent.", _connection.Fault));
        }
    }

    /// <summary>One timer for all, which runs only while there are commits.</summary>
    private void LookSoon()
    {
        if (!_isLooking)
        {
            _isLooking = true;
            _look.Change(_patience.LookPeriod, Timeout.InfiniteTimeSpan);
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            _isLooking = false;
            var now = CommitPatience.Now;
            foreach (var partition in _partitions.Values)
            {
                RefuseTooLate(partition, now);
            }

            foreach (var call in _underWay)
            {
                call.TellOverdue(_patience, now, _connection.Fault);
            }

            if (_untold > 0)
            {
                LookSoon();
            }
        }
    }

    /// <summary>
    /// A refusal waits for the barrier too: what it was compared with may be another's commit that is not durable yet.
    /// </summary>
    private async Task AcknowledgeAsync(CommitCall call, string verdicts)
    {
        try
        {
            await _barrier.PassAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            call.Fail(exception);
            return;
        }
        finally
        {
            Forget(call);
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
