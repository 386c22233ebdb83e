namespace Muster.Domain.Rollouts;

/// <summary>The bounds of a rollout, each with the reason for its number.</summary>
public static class RolloutLimits
{
    /// <summary>A plan is committed whole; more waves than this are a rate, not waves.</summary>
    public const int WavesMax = 32;

    /// <summary>As long as a version that a device may report.</summary>
    public const int VersionCharactersMax = 64;

    /// <summary>Above a million a minute the rate limits nothing that we can do.</summary>
    public const int DevicesPerMinuteMax = 1_000_000;

    /// <summary>The largest installation that the design counts with.</summary>
    public const int DevicesMax = 100_000_000;

    /// <summary>Offers that one partition gets in one step: they are made within one grain call, well below its time-out.</summary>
    public const int OffersPerGrantMax = 64;

    /// <summary>The plan keeps the newest decisions; all of them are facts in the feed.</summary>
    public const int DecisionsMax = 128;

    /// <summary>Longer reasons belong into a ticket that the reason names.</summary>
    public const int ReasonCharactersMax = 500;

    /// <summary>As for images: more people than ever look at one rollout.</summary>
    public const int ApprovalsMax = 8;

    /// <summary>Ten ranks: more of them nobody tells apart.</summary>
    public const int PriorityMax = 9;

    /// <summary>A draft that more people than this have written is nobody's any more.</summary>
    public const int EditorsMax = 16;

    /// <summary>
    /// Devices that join the rollout late in one partition: they stand in the part of the share's record that is written with each of its
    /// commits, of which so many make some 10 kB, as one chunk of frozen members does. More are a rollout of their own.
    /// </summary>
    public const int LateJoinersPerPartitionMax = MemberChunk.MembersMax;

    /// <summary>The window of the rate (rollouts.md 11).</summary>
    public static readonly TimeSpan RateWindow = TimeSpan.FromSeconds(60);

    /// <summary>A soak longer than a quarter of a year is a second rollout.</summary>
    public static readonly TimeSpan SoakMax = TimeSpan.FromDays(90);

    /// <summary>AWS IoT Jobs' lower bound: no device downloads, installs and reboots faster.</summary>
    public static readonly TimeSpan TimeoutMin = TimeSpan.FromMinutes(1);

    /// <summary>AWS IoT Jobs' upper bound.</summary>
    public static readonly TimeSpan InProgressTimeoutMax = TimeSpan.FromDays(7);

    /// <summary>A device that was away for longer than a year is another rollout's business.</summary>
    public static readonly TimeSpan UndeliveredTimeoutMax = TimeSpan.FromDays(366);
}
