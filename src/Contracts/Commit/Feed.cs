using Muster.Domain;
using Muster.Domain.Inventory;

namespace Muster.Contracts.Commit;

/// <summary>One fact of a partition's change feed.</summary>
[GenerateSerializer, Immutable, Alias("muster.feed-entry")]
public sealed record FeedEntry
{
    /// <summary>Random; tells a feed that went back in time from one that went on (design: lineage).</summary>
    [Id(0)] public required Guid Id { get; init; }

    /// <summary>Gapless within the partition, from 1. Not in the stored bytes: it is the field's name.</summary>
    public long Sequence { get; init; }

    /// <summary>What a position behind this entry carries. Not in the stored bytes, of which it is computed; 0 when it was not.</summary>
    public ulong Fingerprint { get; init; }

    /// <summary>The record that was committed.</summary>
    [Id(1)] public required RecordKey Record { get; init; }

    /// <summary>The record's version after the commit, from 1.</summary>
    [Id(2)] public required long Version { get; init; }

    [Id(3)] public required DateTimeOffset At { get; init; }

    [Id(4)] public required Actor Actor { get; init; }

    [Id(5)] public required DomainEvent Fact { get; init; }

    /// <summary>True on the last fact of its commit: only that one carries row and due date.</summary>
    [Id(6)] public bool IsLast { get; init; }

    [Id(7)] public InventoryRow? Row { get; init; }

    [Id(8)] public DateTimeOffset? DueAt { get; init; }
}

/// <summary>
/// How far a reader is: the entry that it read last, and what that entry was. A store that lost commits and went on has another entry
/// under the same number (design: lineage).
/// </summary>
/// <param name="Sequence">0 before the first.</param>
/// <param name="Fingerprint">XXH3 (64 bits) of the entry's bytes, in which there is a random id; 0 before the first.</param>
[GenerateSerializer, Immutable, Alias("muster.feed-position")]
public readonly record struct FeedPosition([property: Id(0)] long Sequence, [property: Id(1)] ulong Fingerprint)
{
    /// <summary>Before the first entry.</summary>
    public static FeedPosition Start { get; }
}

/// <summary>Whether a feed goes on where its reader is.</summary>
public enum FeedContinuity
{
    /// <summary>Never returned.</summary>
    Unspecified = 0,

    /// <summary>What follows was read.</summary>
    Follows = 1,

    /// <summary>What follows is trimmed: the reader was away for too long and has to begin with the records.</summary>
    Trimmed = 2,

    /// <summary>The entry that the reader read last never happened in this store: it lost commits, or is another.</summary>
    Rewound = 3,
}

/// <summary>What a reader finds behind its position.</summary>
/// <param name="Continuity">Anything but <see cref="FeedContinuity.Follows"/> comes without entries.</param>
/// <param name="Entries">In order, without a gap.</param>
/// <param name="Next">The position behind the entries.</param>
/// <param name="Head">The highest sequence of the feed.</param>
public sealed record FeedPage(FeedContinuity Continuity, ImmutableArray<FeedEntry> Entries, FeedPosition Next, long Head)
{
    /// <summary>Whether there is nothing behind <see cref="Next"/>.</summary>
    public bool IsAtEnd => Next.Sequence >= Head;
}

/// <summary>Takes entries away that nobody needs any more.</summary>
public interface IFeedTrimmer
{
    /// <summary>
    /// Raises the partition's mark to what may be taken away, then takes it away. Keeps the newest entries, as many as the store's options
    /// say, for readers that come late, and all that a durable reader (<see cref="IDurableReaders"/>) has not read. Repeated after a crash,
    /// it finishes what was begun.
    /// </summary>
    Task<FeedTrim> TrimAsync(int partition, CancellationToken cancellationToken);
}

/// <summary>Reads change feeds. All reads are bounded.</summary>
public interface IFeedReader
{
    /// <summary>The position behind the newest entry.</summary>
    Task<FeedPosition> GetEndAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Up to <paramref name="entriesMax"/> entries behind a position, after comparing the position with the feed. One request while little
    /// has changed.
    /// </summary>
    Task<FeedPage> FollowAsync(int partition, FeedPosition after, int entriesMax, CancellationToken cancellationToken);

    /// <summary>
    /// Whether there is nothing behind a position and its entry is still the one that was read. One request that brings no entry: for
    /// those who mostly find that nothing has happened.
    /// </summary>
    Task<bool> IsAtEndAsync(int partition, FeedPosition position, CancellationToken cancellationToken);

    /// <summary>The highest sequence that is given up: what follows it can be read. 0 when nothing ever was.</summary>
    Task<long> GetTrimmedAsync(int partition, CancellationToken cancellationToken);

    /// <summary>The highest sequence of the partition, 0 when nothing was ever committed.</summary>
    Task<long> GetHeadAsync(int partition, CancellationToken cancellationToken);

    /// <summary>Up to <paramref name="entriesMax"/> entries after <paramref name="after"/>, in order, without a gap.</summary>
    Task<ImmutableArray<FeedEntry>> ReadAsync(int partition, long after, int entriesMax, CancellationToken cancellationToken);
}

/// <summary>A record as a scan finds it.</summary>
public sealed record StoredRecord(RecordKey Key, long Version, ICommitRecord Record, DateTimeOffset? DueAt);

/// <summary>Enumerates the records of a partition with their cold parts.</summary>
public interface IRecordScanner
{
    /// <summary>In no particular order, each at least once.</summary>
    /// <exception cref="ScanBrokenException">The server was restarted, or another took over: going on could leave records out.</exception>
    IAsyncEnumerable<StoredRecord> ScanAsync(int partition, CancellationToken cancellationToken);

    /// <summary>
    /// Names the run of the server that has the partition: another after a restart or a failover. Nothing that was read between two equal
    /// answers was lost between them.
    /// </summary>
    Task<string> GetRunAsync(int partition, CancellationToken cancellationToken);
}

/// <summary>Raises fences.</summary>
public interface IFenceWriter
{
    /// <summary>
    /// Sets the fence to <paramref name="value"/> in every named partition unless it is higher there already; returns
    /// only when all have it, durably. One pipelined batch.
    /// </summary>
    Task RaiseAsync(IReadOnlyCollection<int> partitions, string fence, long value, CancellationToken cancellationToken);
}

/// <summary>Told by the store after each acknowledged commit, so that the partition's tail reads at once.</summary>
public interface IFeedNudge
{
    /// <summary>Must not block and must not throw; nudges coalesce.</summary>
    void Nudge(int partition);
}
