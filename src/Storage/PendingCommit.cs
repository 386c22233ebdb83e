using System.Globalization;
using Muster.Contracts.Commit;
using StackExchange.Redis;

namespace Muster.Storage;

/// <summary>One commit, encoded once: a resend carries the same bytes and the same id.</summary>
internal sealed class PendingCommit
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required int Partition { get; init; }

    public required RecordKey Record { get; init; }

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

    /// <summary>When it was handed over, by the clock of <see cref="CommitPatience"/>.</summary>
    public long EnteredAt { get; } = CommitPatience.Now;

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

    /// <summary>One fact, no fences and no cold part: most are, and the script takes a shorter form of them.</summary>
    public bool IsSimple => Facts.Length == 1 && Fences.Length == 0 && ColdBytes is null;

    /// <summary>How many values <see cref="WriteRest"/> writes.</summary>
    public int RestCount(bool isSimple) => isSimple ? 1 : 3 + (2 * Fences.Length) + (ColdBytes is null ? 0 : 2) + Facts.Length;

    /// <summary>Version field, stamp, record field and record, as CommitScript.lua reads them.</summary>
    public void WriteFields(Span<RedisValue> arguments)
    {
        arguments[0] = RecordLayout.VersionField(Record);
        arguments[1] = RecordLayout.Stamp(Version, CommitId);
        arguments[2] = RecordLayout.RecordField(Record);
        arguments[3] = RecordBytes;
    }

    /// <summary>What else the commit has; the number of values written.</summary>
    public int WriteRest(Span<RedisValue> arguments, bool isSimple)
    {
        if (isSimple)
        {
            arguments[0] = Facts[0];
            return 1;
        }

        var at = 0;
        arguments[at++] = Fences.Length;
        foreach (var fence in Fences)
        {
            arguments[at++] = RecordLayout.FenceField(fence.Name);
            arguments[at++] = fence.Expected.ToString(CultureInfo.InvariantCulture);
        }

        arguments[at++] = ColdBytes is null ? 0 : 1;
        if (ColdBytes is not null)
        {
            arguments[at++] = RecordLayout.ColdField(Record);
            arguments[at++] = ColdBytes;
        }

        arguments[at++] = Facts.Length;
        foreach (var fact in Facts)
        {
            arguments[at++] = fact;
        }

        return at;
    }

    public void Succeed() => _done.TrySetResult();

    public void Fail(Exception exception) => _done.TrySetException(exception);

    /// <summary>Null for success. An earlier send of this very commit is a success.</summary>
    public Exception? Refusal(char verdict) => verdict switch
    {
        CommitVerdict.Applied or CommitVerdict.AppliedBefore => null,
        CommitVerdict.Conflict => new CommitConflictException($"{Record} is no longer at version {ExpectedVersion}."),
        CommitVerdict.FeedFull => new FeedFullException(
            $"The change feed of partition {Partition} is full: its tail does not read or cannot trim. Commits are refused until it does."),
        CommitVerdict.NotMine => StoreConnection.Lost(Partition),
        CommitVerdict.FenceRaised => new FenceRaisedException($"A fence of the commit of {Record} was raised."),
        _ => new StoreUnavailableException($"The store answered {verdict} to the commit of {Record}."),
    };
}

/// <summary>What the script replies, one for each commit.</summary>
internal static class CommitVerdict
{
    public const char Applied = '0';
    public const char Conflict = '1';
    public const char FenceRaised = '2';
    public const char AppliedBefore = '3';
    public const char FeedFull = '4';
    public const char NotMine = '5';
}
