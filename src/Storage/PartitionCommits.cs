using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>
/// The commits of one partition on their way. A lone commit leaves at once; what piles up while a call is on its way
/// leaves together with the next. Calls of a partition follow each other; waiting for durability overlaps with the next call.
/// </summary>
internal sealed class PartitionCommits(RedisKey key, StoreConnection connection, IDurabilityBarrier barrier, Action<int> nudge)
{
    private readonly Lock _gate = new();
    private readonly Queue<PendingCommit> _waiting = new();
    private bool _sending;

    /// <summary>Returns when the commit is durable.</summary>
    public Task CommitAsync(PendingCommit commit)
    {
        lock (_gate)
        {
            if (_waiting.Count >= CommitLimits.WaitingCommitsMax)
            {
                throw new StoreUnavailableException($"{_waiting.Count} commits wait for partition {commit.Partition} already.");
            }

            _waiting.Enqueue(commit);
            if (_sending)
            {
                return commit.Done;
            }

            _sending = true;
        }

        // Begun here, which saves a change of threads. Grains call from their own scheduler; the calls of a partition serve many
        // grains and must not go on on one of them, so that nothing below returns to the caller's context.
        _ = SendAllAsync();
        return commit.Done;
    }

    private async Task SendAllAsync()
    {
        while (TakeGroup() is { } group)
        {
            try
            {
                var verdicts = await SendAsync(group).ConfigureAwait(false);
                _ = AcknowledgeAsync(group, verdicts);
            }
            catch (Exception exception)
            {
                FailAll(group, exception);
            }
        }
    }

    private List<PendingCommit>? TakeGroup()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _sending = false;
                return null;
            }

            var group = new List<PendingCommit>(Math.Min(_waiting.Count, CommitLimits.GroupCommitsMax));
            var (bytes, fields) = (0, 0);
            while (group.Count < CommitLimits.GroupCommitsMax && _waiting.TryPeek(out var next))
            {
                (bytes, fields) = (bytes + next.Bytes, fields + next.Fields);
                if (group.Count > 0 && (bytes > CommitLimits.GroupBytesMax || fields > CommitLimits.GroupFieldsMax))
                {
                    break;
                }

                group.Add(_waiting.Dequeue());
            }

            return group;
        }
    }

    private async Task<long[]> SendAsync(List<PendingCommit> group)
    {
        barrier.CheckRoom();
        await connection.OpenAsync(CancellationToken.None).ConfigureAwait(false);
        var arguments = new List<RedisValue>(3 + (16 * group.Count)) { connection.Installation, connection.FeedEntriesMax, group.Count };
        foreach (var commit in group)
        {
            commit.AppendTo(arguments);
        }

        RedisKey[] keys = [key];
        RedisValue[] values = [.. arguments];
        var verdicts = await connection.RunAsync(
            async database => (long[]?)await StoreScript.Commit.EvaluateAsync(database, keys, values).ConfigureAwait(false),
            CancellationToken.None).ConfigureAwait(false);
        return verdicts?.Length == group.Count
            ? verdicts
            : throw new StoreUnavailableException($"The store answered {verdicts?.Length ?? 0} verdicts to {group.Count} commits.");
    }

    /// <summary>
    /// A refusal waits for the barrier too: what it was compared with may be another's commit that is not durable yet.
    /// </summary>
    private async Task AcknowledgeAsync(List<PendingCommit> group, long[] verdicts)
    {
        try
        {
            await barrier.PassAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            FailAll(group, exception);
            return;
        }

        var factsWritten = false;
        for (var i = 0; i < group.Count; i++)
        {
            if (group[i].Refusal(verdicts[i]) is { } refusal)
            {
                group[i].Fail(refusal);
                continue;
            }

            factsWritten |= group[i].Facts.Length > 0;
            group[i].Succeed();
        }

        if (factsWritten)
        {
            nudge(group[0].Partition);
        }
    }

    private static void FailAll(List<PendingCommit> group, Exception exception)
    {
        foreach (var commit in group)
        {
            commit.Fail(exception is OrleansException
                ? exception
                : new StoreUnavailableException($"The commit of {commit.Record} could not be made durable.", exception));
        }
    }
}
