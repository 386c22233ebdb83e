using System.Globalization;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>One commit, encoded once: a resend carries the same bytes and the same id.</summary>
internal sealed class PendingCommit
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required int Partition { get; init; }

    /// <summary><c>kind/key</c></summary>
    public required string Record { get; init; }

    /// <summary>0 for a record that must not exist.</summary>
    public required long ExpectedVersion { get; init; }

    /// <summary>What it is afterwards: the next, unless the record comes from another store.</summary>
    public required long Version { get; init; }

    public required Guid CommitId { get; init; }

    public required byte[] RecordBytes { get; init; }

    /// <summary>Null when the cold part did not change.</summary>
    public byte[]? ColdBytes { get; init; }

    public required byte[][] Facts { get; init; }

    public required Fence[] Fences { get; init; }

    public Task Done => _done.Task;

    public int Bytes
    {
        get
        {
            var bytes = RecordBytes.Length + (ColdBytes?.Length ?? 0);
            foreach (var fact in Facts)
            {
                bytes += fact.Length;
            }

            return bytes;
        }
    }

    /// <summary>Fields that the commit reads or writes.</summary>
    public int Fields => 3 + Facts.Length + Fences.Length;

    /// <summary>Refuses what could never be sent.</summary>
    public void Check()
    {
        if (Bytes > CommitLimits.CommitBytesMax)
        {
            throw new InvalidOperationException($"The commit of {Record} has {Bytes} bytes; at most {CommitLimits.CommitBytesMax}.");
        }

        if (Facts.Length > CommitLimits.CommitFactsMax || Fences.Length > CommitLimits.CommitFencesMax)
        {
            throw new InvalidOperationException(
                $"The commit of {Record} has {Facts.Length} facts and {Fences.Length} fences; "
                + $"at most {CommitLimits.CommitFactsMax} and {CommitLimits.CommitFencesMax}.");
        }
    }

    public void AppendTo(List<RedisValue> arguments)
    {
        arguments.Add(RecordLayout.VersionField(Record));
        arguments.Add(RecordLayout.ExpectedVersion(ExpectedVersion));
        arguments.Add(RecordLayout.Stamp(Version, CommitId));
        arguments.Add(Fences.Length);
        foreach (var fence in Fences)
        {
            arguments.Add(RecordLayout.FenceField(fence.Name));
            arguments.Add(fence.Expected.ToString(CultureInfo.InvariantCulture));
        }

        arguments.Add(ColdBytes is null ? 1 : 2);
        arguments.Add(RecordLayout.RecordField(Record));
        arguments.Add(RecordBytes);
        if (ColdBytes is not null)
        {
            arguments.Add(RecordLayout.ColdField(Record));
            arguments.Add(ColdBytes);
        }

        arguments.Add(Facts.Length);
        foreach (var fact in Facts)
        {
            arguments.Add(fact);
        }
    }

    public void Succeed() => _done.TrySetResult();

    public void Fail(Exception exception) => _done.TrySetException(exception);

    /// <summary>Null for success. An earlier send of this very commit is a success.</summary>
    public Exception? Refusal(long verdict) => verdict switch
    {
        >= 0 or CommitVerdict.AppliedBefore => null,
        CommitVerdict.Conflict => new CommitConflictException($"{Record} is no longer at version {ExpectedVersion}."),
        CommitVerdict.FeedFull => new FeedFullException(
            $"The change feed of partition {Partition} is full: its tail does not read or cannot trim. Commits are refused until it does."),
        CommitVerdict.NotMine => StoreConnection.Lost(Partition),
        CommitVerdict.FenceRaised => new FenceRaisedException($"A fence of the commit of {Record} was raised."),
        _ => new StoreUnavailableException($"The store answered {verdict} to the commit of {Record}."),
    };
}

/// <summary>What the script replies besides the feed's head.</summary>
internal static class CommitVerdict
{
    public const long Conflict = -1;
    public const long FenceRaised = -2;
    public const long AppliedBefore = -3;
    public const long FeedFull = -4;
    public const long NotMine = -5;
}
