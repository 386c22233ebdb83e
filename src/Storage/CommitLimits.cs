namespace Muster.Storage;

/// <summary>How much one commit and one call may hold.</summary>
internal static class CommitLimits
{
    /// <summary>Calls of 64 were the fastest measured; more only makes the first of them wait.</summary>
    public const int CallCommitsMax = 64;

    /// <summary>One multi-field write has to fit into a page of the embedded store's log (8 MiB) with room to spare.</summary>
    public const int CallBytesMax = 2 * 1024 * 1024;

    /// <summary>Calls under way to a server that holds all partitions: one is run, one is read, one is written.</summary>
    public const int CallsMax = 3;

    /// <summary>Of one partition in one call. Lua's unpack fails near 8,000 values; a field takes two.</summary>
    public const int WriteFieldsMax = 1_500;

    /// <summary>A record is some kilobytes; whatever is larger belongs into chunks of its own.</summary>
    public const int CommitBytesMax = 1024 * 1024;

    /// <summary>One decision has a handful of facts; a chunk of a rollout's members is 512 and one for the share itself.</summary>
    public const int CommitFactsMax = 640;

    /// <summary>A commit is fenced by what permitted it, which is one thing, seldom two.</summary>
    public const int CommitFencesMax = 16;

    /// <summary>See <see cref="Muster.Contracts.Commit.Fence"/>.</summary>
    public const int FenceNameCharactersMax = 200;

    /// <summary>The largest whole number that the script's floating-point arithmetic holds exactly.</summary>
    public const long ScriptNumberMax = 1L << 53;

    /// <summary>Waiting commits of one partition: at 64 per call some hundred calls, about a second of a slow server.</summary>
    public const int PartitionWaitingCommitsMax = 8_192;

    /// <summary>
    /// Commits of all partitions that were not told yet, also those that a disk does not take: some 100 MB, about a second of a server that
    /// is busy with nothing else.
    /// </summary>
    public const int WaitingCommitsMax = 65_536;

    /// <summary>
    /// Callers listen for 15 s (<see cref="Muster.Contracts.CallTimeouts.Commit"/>): two less, so that what they are told reaches them.
    /// </summary>
    public static readonly TimeSpan ListenMax = TimeSpan.FromSeconds(13);

    /// <summary>Callers are told so much later at most: a machine that is busy needs what is left until they stop listening.</summary>
    public static readonly TimeSpan LookPeriodMax = TimeSpan.FromMilliseconds(250);

    /// <summary>Feed entries per read: about 200 kB.</summary>
    public const int FeedReadEntriesMax = 1_024;

    /// <summary>Entries taken away by one request: well below a millisecond of the server, so that commits hardly wait.</summary>
    public const int TrimEntriesPerStep = 500;

    /// <summary>
    /// Entries that a partition's feed may hold beyond those that are kept on purpose, some 64 MB; its tail trims after every thousand.
    /// More means that nothing reads or trims it any more, and commits are refused before the store's memory is gone.
    /// </summary>
    public const int FeedEntriesBeyondMax = 65_536;

    /// <summary>Fields looked at per step of a scan; keeps one step below a millisecond of the server.</summary>
    public const int ScanFieldsPerStep = 500;
}
