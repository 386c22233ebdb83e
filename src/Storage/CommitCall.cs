using System.Runtime.InteropServices;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>The commits of one or more partitions that leave together.</summary>
internal sealed class CommitCall
{
    /// <summary>The installation's id and the feed's bound.</summary>
    private const int Heading = 2;

    private static readonly RedisValue s_simple = "s";
    private static readonly RedisValue s_complete = "c";

    /// <summary>Partition and how many of <see cref="Commits"/> are its, in their order.</summary>
    public List<(PartitionQueue Partition, int Count)> Partitions { get; } = [];

    public List<PendingCommit> Commits { get; } = [];

    private int _bytes;

    /// <summary>All of them were told.</summary>
    public bool IsOver => Commits.TrueForAll(commit => commit.Done.IsCompleted);

    /// <summary>False when the call has no room for the partition's next commit, which then waits for another.</summary>
    public bool TryTake(PartitionQueue partition)
    {
        var (count, fields) = (0, 0);
        while (Commits.Count < CommitLimits.CallCommitsMax && partition.Waiting.TryPeek(out var next))
        {
            (_bytes, fields) = (_bytes + next.Bytes, fields + next.Fields);
            if (Commits.Count > 0 && (_bytes > CommitLimits.CallBytesMax || (count > 0 && fields > CommitLimits.WriteFieldsMax)))
            {
                break;
            }

            Commits.Add(partition.Waiting.Dequeue());
            count++;
        }

        if (count > 0)
        {
            Partitions.Add((partition, count));
        }

        return count > 0;
    }

    public RedisKey[] Keys()
    {
        var keys = new RedisKey[Partitions.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = Partitions[i].Partition.Key;
        }

        return keys;
    }

    /// <summary>In the form that CommitScript.lua reads.</summary>
    public RedisValue[] Arguments(RedisValue installation, long feedEntriesMax)
    {
        var forms = new bool[Partitions.Count];
        var (length, first) = (Heading, 0);
        for (var i = 0; i < forms.Length; i++)
        {
            var commits = CollectionsMarshal.AsSpan(Commits).Slice(first, Partitions[i].Count);
            forms[i] = IsSimple(commits);
            length += 2 + (5 * commits.Length);
            foreach (var commit in commits)
            {
                length += commit.RestCount(forms[i]);
            }

            first += commits.Length;
        }

        var arguments = new RedisValue[length];
        (arguments[0], arguments[1]) = (installation, feedEntriesMax);
        var at = Heading;
        first = 0;
        for (var i = 0; i < forms.Length; i++)
        {
            var commits = CollectionsMarshal.AsSpan(Commits).Slice(first, Partitions[i].Count);
            at += Write(arguments.AsSpan(at), commits, forms[i]);
            first += commits.Length;
        }

        return arguments;
    }

    private static bool IsSimple(ReadOnlySpan<PendingCommit> commits)
    {
        foreach (var commit in commits)
        {
            if (!commit.IsSimple)
            {
                return false;
            }
        }

        return true;
    }

    private static int Write(Span<RedisValue> arguments, ReadOnlySpan<PendingCommit> commits, bool isSimple)
    {
        arguments[0] = commits.Length;
        arguments[1] = isSimple ? s_simple : s_complete;
        var (expected, fields) = (2, 2 + commits.Length);
        var rest = fields + (4 * commits.Length);
        foreach (var commit in commits)
        {
            arguments[expected++] = RecordLayout.ExpectedVersion(commit.ExpectedVersion);
            commit.WriteFields(arguments[fields..]);
            fields += 4;
            rest += commit.WriteRest(arguments[rest..], isSimple);
        }

        return rest;
    }

    /// <summary>Tells every commit its verdict; the partitions whose feeds have something new.</summary>
    public IEnumerable<int> Acknowledge(string verdicts)
    {
        var told = new List<int>(Partitions.Count);
        var at = 0;
        foreach (var (partition, count) in Partitions)
        {
            var factsWritten = false;
            for (var end = at + count; at < end; at++)
            {
                var commit = Commits[at];
                if (commit.Refusal(verdicts[at]) is { } refusal)
                {
                    commit.Fail(refusal);
                    continue;
                }

                factsWritten |= commit.Facts.Length > 0;
                commit.Succeed();
            }

            if (factsWritten)
            {
                told.Add(partition.Partition);
            }
        }

        return told;
    }

    /// <summary>
    /// Tells those that are on their way for too long, and what the connection's <paramref name="fault"/> is. Whether they land is not
    /// known: the version check decides.
    /// </summary>
    public void TellOverdue(CommitPatience patience, long now, Exception? fault)
    {
        foreach (var commit in Commits)
        {
            if (patience.IsOver(commit, now))
            {
                commit.Fail(new StoreUnavailableException(
                    $"The store did not answer to the commit of {commit.Record} in time.", fault));
            }
        }
    }

    public void Fail(Exception exception)
    {
        foreach (var commit in Commits)
        {
            commit.Fail(exception is OrleansException
                ? exception
                : new StoreUnavailableException($"The commit of {commit.Record} could not be made durable.", exception));
        }
    }
}
