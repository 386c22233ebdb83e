using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>How one member of a rollout stands.</summary>
public enum MemberStatus : byte
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>Not offered now and without an outcome.</summary>
    Waiting = 1,

    /// <summary>A permit is taken for it: it is offered the change, or about to be.</summary>
    Offered = 2,

    Succeeded = 3,

    Failed = 4,

    TimedOut = 5,

    Rejected = 6,

    Skipped = 7,

    Removed = 8,

    /// <summary>Its last attempt failed, and it waits for the next.</summary>
    Retrying = 9,

    /// <summary>Only in a rollout that is rolled back: it was never offered the change, and stays as it is.</summary>
    Untouched = 10,
}

/// <summary>A member that failed at least once and may try again, or does.</summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Retry">The attempt that it is in or waits for: how many ended before it, from 1.</param>
/// <param name="DueAt">When its back-off ends.</param>
[GenerateSerializer, Immutable, Alias("muster.member-retry")]
public readonly record struct MemberRetry(
    [property: Id(0)] int Member,
    [property: Id(1)] int Retry,
    [property: Id(2)] DateTimeOffset DueAt) : IOfMember;

/// <summary>
/// A member that took a step to the rollout's image: it runs something that the rollout brought, and goes on within its attempt.
/// </summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Retry">The attempt that took it: how many ended before it.</param>
/// <param name="At">When, from which it is waited for again.</param>
[GenerateSerializer, Immutable, Alias("muster.member-step")]
public readonly record struct MemberStep(
    [property: Id(0)] int Member,
    [property: Id(1)] int Retry,
    [property: Id(2)] DateTimeOffset At) : IOfMember;

/// <summary>A member of which an offer went back that nobody had named: how long it is waited for is counted from there.</summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Retry">The attempt that was offered: how many ended before it.</param>
/// <param name="At">When it was offered first.</param>
[GenerateSerializer, Immutable, Alias("muster.member-turn")]
public readonly record struct MemberTurn(
    [property: Id(0)] int Member,
    [property: Id(1)] int Retry,
    [property: Id(2)] DateTimeOffset At) : IOfMember;

/// <summary>The end of a member of which its device's record may say nothing: it was skipped, or given up before it was reached.</summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
/// <param name="IsGivenUp">The share alone says so: should an offer have been made after all, the device's fact opens it again.</param>
[GenerateSerializer, Immutable, Alias("muster.member-end")]
public readonly record struct MemberEnd(
    [property: Id(0)] int Member,
    [property: Id(1)] MemberReason Reason,
    [property: Id(2)] DateTimeOffset At,
    [property: Id(3)] bool IsGivenUp) : IOfMember;

/// <summary>A member for which a permit is taken.</summary>
/// <param name="Member">Its index in the order.</param>
/// <param name="Epoch">The epoch the permit was taken under; the device's commit is fenced by it.</param>
/// <param name="IsConfirmed">
/// True when the device's commit is known; before, the offer has to be repeated, and the permit is reported as on its way.
/// </param>
/// <param name="TakenAt">When the permit was taken.</param>
/// <param name="DeliveredAt">When the device named the generation; null before.</param>
[GenerateSerializer, Immutable, Alias("muster.open-offer")]
public readonly record struct OpenOffer(
    [property: Id(0)] int Member,
    [property: Id(1)] long Epoch,
    [property: Id(2)] bool IsConfirmed,
    [property: Id(3)] DateTimeOffset TakenAt,
    [property: Id(4)] DateTimeOffset? DeliveredAt)
{
    /// <summary>When the device began to install, of a change with install windows; null before.</summary>
    [Id(120)] public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>The desired generation that carries the offer; 0 while it is not known.</summary>
    [Id(125)] public long Generation { get; init; }

    /// <summary>When the attempt was offered first, if an offer of it went back; null when this is the first.</summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>From when it is waited for that the device names it.</summary>
    public DateTimeOffset Since => FirstOfferedAt ?? TakenAt;
}

/// <summary>What became of a wave's permits in one partition; the numbers never fall.</summary>
/// <param name="Seen">Permits taken or lapsed.</param>
/// <param name="Offered">Permits that became offers.</param>
[GenerateSerializer, Immutable, Alias("muster.permits-used")]
public readonly record struct PermitsUsed([property: Id(0)] long Seen, [property: Id(1)] long Offered)
{
    /// <summary>Those of <see cref="Offered"/> that were taken back; 0 in records of earlier versions.</summary>
    [Id(163)] public long WentBack { get; init; }
}

/// <summary>One partition's part of a started rollout, without the names of its members (they are stored once, apart).</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-share")]
public sealed record RolloutShare
{
    /// <summary>The freeze it comes from: a start that is repeated freezes anew.</summary>
    [Id(0)] public required Guid Freeze { get; init; }

    /// <summary>The feed of the partition is taken in up to here.</summary>
    [Id(1)] public required long Position { get; init; }

    /// <summary>By index in the order of the members.</summary>
    [Id(2)] public required ImmutableArray<MemberStatus> Members { get; init; }

    /// <summary>By wave; grows when the first permits of a wave come.</summary>
    [Id(3)] public ImmutableArray<PermitsUsed> Permits { get; init; } = [];

    /// <summary>The members with a permit.</summary>
    [Id(4)] public ImmutableArray<OpenOffer> Open { get; init; } = [];

    /// <summary>What the entry at <see cref="Position"/> was; 0 when nobody knows.</summary>
    [Id(5)] public ulong PositionFingerprint { get; init; }

    /// <summary>
    /// Entries were missed, because the feed was trimmed or the store went back: every member with a permit is asked what became of it.
    /// </summary>
    [Id(6)] public bool HasMissed { get; init; }

    /// <summary>How often entries were missed: behind each time the feed's numbers may be others.</summary>
    [Id(7)] public int Misses { get; init; }

    /// <summary>Members beyond their first attempt, ascending.</summary>
    [Id(8)] public ImmutableArray<MemberRetry> Retries { get; init; } = [];

    /// <summary>Members that were skipped or given up, ascending.</summary>
    [Id(9)] public ImmutableArray<MemberEnd> Ends { get; init; } = [];

    /// <summary>
    /// The attempt of members that <see cref="Retries"/> does not name: 0, and <see cref="WayBack.FirstRetry"/> since the rollout is
    /// rolled back here. Then it names members that are still on their way there, too.
    /// </summary>
    [Id(64)] public int FirstRetry { get; init; }

    /// <summary>
    /// Devices that joined after the freeze, in the order in which they did: the last of <see cref="Members"/>. At most
    /// <see cref="RolloutLimits.LateJoinersPerPartitionMax"/>.
    /// </summary>
    [Id(100)] public ImmutableArray<DeviceId> Joiners { get; init; } = [];

    /// <summary>The share has heard that joining has ended, has looked once more, and lets nobody in since.</summary>
    [Id(101)] public bool JoiningHasEnded { get; init; }

    /// <summary>
    /// Members whose last offers are over, as the feed or their devices said, ascending; each until there is a newer one.
    /// </summary>
    [Id(126)] public ImmutableArray<MemberPassed> Passed { get; init; } = [];

    /// <summary>Members that took a step to the image, ascending; of each the newest that is known.</summary>
    [Id(128)] public ImmutableArray<MemberStep> Steps { get; init; } = [];

    /// <summary>Members of which an offer went back, ascending; of each the attempt that was offered last.</summary>
    [Id(158)] public ImmutableArray<MemberTurn> Turns { get; init; } = [];

    /// <summary>How many members were frozen at the start; those that joined stand behind them.</summary>
    public int FrozenCount => Members.Length - (Joiners.IsDefault ? 0 : Joiners.Length);
}

/// <summary>The members of one partition in their order, at most 512: written once, at the freeze.</summary>
[GenerateSerializer, Immutable, Alias("muster.member-chunk")]
public sealed record MemberChunk([property: Id(0)] ImmutableArray<FrozenMember> Members)
{
    /// <summary>About 10 kB: a chunk stays far below what the store handles in one piece without a pause.</summary>
    public const int MembersMax = 512;

    /// <summary>By member: the place of its class in the partition's list; empty where waves have neither filters nor strata.</summary>
    [Id(80)] public ImmutableArray<ushort> Classes { get; init; } = [];
}

/// <summary>A member as the freeze found it.</summary>
[GenerateSerializer, Immutable, Alias("muster.frozen-member")]
public readonly record struct FrozenMember([property: Id(0)] DeviceId Device, [property: Id(1)] bool Connected);

/// <summary>What keeps a member from being offered the change as soon as there is a permit.</summary>
public enum MemberWait : byte
{
    /// <summary>It does not wait: it has an outcome, or a permit.</summary>
    None = 0,

    /// <summary>Its back-off after a failure is not over.</summary>
    Backoff = 1,

    Offline = 2,

    Busy = 3,

    /// <summary>Nothing: the next permit of its wave and partition is for one like it.</summary>
    Permit = 4,

    /// <summary>As many members of one of its groups are in progress as the budget per value allows.</summary>
    GroupFull = 5,
}

/// <summary>Whether a waiting member can be offered something now; known in memory only.</summary>
public enum MemberReach : byte
{
    Online = 0,

    Offline = 1,

    /// <summary>Busy with another change.</summary>
    Busy = 2,

    /// <summary>It could be offered something, and a group that it is in has no seat for it.</summary>
    GroupFull = 3,
}
