namespace Muster.Contracts.Commit;

/// <summary>The bounds of what may hold up a feed, each with the reason for its number.</summary>
public static class FeedLimits
{
    /// <summary>
    /// A durable reader that is further behind alarms. One that is well is at most two thousand entries behind, because it tells how far it
    /// is after every thousand; and at seven times this the store refuses commits, which leaves an operator most of the way to act.
    /// </summary>
    public const long LagAlarm = 8_192;

    /// <summary>
    /// Durable readers of one partition: all of them are looked at whenever it is trimmed. There is one per running rollout and one per
    /// service that follows the whole installation.
    /// </summary>
    public const int ReadersMax = 256;

    /// <summary>As long as a fence's name, which is made of the same ids.</summary>
    public const int ReaderNameCharactersMax = 200;
}

/// <summary>A reader whose stored position holds up trimming, so that it misses nothing however long it is away.</summary>
/// <param name="Name">Unique within the partition, 1 to <see cref="FeedLimits.ReaderNameCharactersMax"/> characters.</param>
public sealed record DurableReader(string Name)
{
    /// <summary>
    /// For a reader that has another way to what it missed: further behind than this it is let go, and the feed is trimmed without it. 0
    /// for one that is never let go: when it stops for too long, commits are refused before anything is taken away from it.
    /// </summary>
    public long LagMax { get; init; }
}

/// <summary>Whether a reader's position holds up trimming.</summary>
public enum ReaderStatus
{
    /// <summary>Never returned.</summary>
    Unspecified = 0,

    /// <summary>It does: everything behind the stored position stays.</summary>
    Held = 1,

    /// <summary>What follows the position is given up. The reader begins with the records and registers at the feed's end.</summary>
    Trimmed = 2,

    /// <summary>
    /// The entry at the position never happened in this store: it lost commits, or is another. The reader leaves, begins with the records
    /// and registers at the feed's end.
    /// </summary>
    Rewound = 3,

    /// <summary>Nobody of this name is registered (any more): it was let go, or the store is another.</summary>
    Unknown = 4,

    /// <summary>There are <see cref="FeedLimits.ReadersMax"/> readers already.</summary>
    TooMany = 5,
}

/// <summary>How a reader stands.</summary>
/// <param name="Status">Anything but <see cref="ReaderStatus.Held"/> has changed nothing.</param>
/// <param name="Position">The stored position, when held.</param>
public readonly record struct ReaderReply(ReaderStatus Status, FeedPosition Position);

/// <summary>How far a durable reader is behind the newest entry.</summary>
[GenerateSerializer, Immutable, Alias("muster.reader-lag")]
public sealed record ReaderLag([property: Id(0)] string Reader, [property: Id(1)] long Entries)
{
    /// <summary>Whether it alarms: the reader holds up trimming, and some day commits.</summary>
    public bool IsAlarming => Entries > FeedLimits.LagAlarm;
}

/// <summary>The durable readers of a partition's feed.</summary>
public interface IDurableReaders
{
    /// <summary>
    /// Holds up trimming at <paramref name="position"/>, durably when this returns. A reader that is registered already stays where it is,
    /// which is what it is told: it goes on from there.
    /// </summary>
    Task<ReaderReply> RegisterAsync(int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken);

    /// <summary>
    /// All up to <paramref name="position"/> may go. Called after what the entries led to is stored. A position only goes forward: a lower
    /// one changes nothing.
    /// </summary>
    Task<ReaderReply> AdvanceAsync(int partition, DurableReader reader, FeedPosition position, CancellationToken cancellationToken);

    /// <summary>Holds nothing up any more. Also when it never did.</summary>
    Task LeaveAsync(int partition, string reader, CancellationToken cancellationToken);

    /// <summary>All readers, the slowest first.</summary>
    Task<ImmutableArray<ReaderLag>> GetLagsAsync(int partition, CancellationToken cancellationToken);
}

/// <summary>What became of a trim.</summary>
/// <param name="Head">The highest sequence of the feed.</param>
/// <param name="Mark">The highest sequence that is given up.</param>
/// <param name="Slowest">The durable reader that is furthest behind; null when there is none.</param>
/// <param name="LetGo">Readers that were further behind than they may hold up.</param>
public sealed record FeedTrim(long Head, long Mark, ReaderLag? Slowest, ImmutableArray<string> LetGo);
