using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>What a partition's share, the device's row and the device itself say of one device and a rollout.</summary>
[GenerateSerializer, Immutable, Alias("muster.member-sighting")]
public sealed record MemberSighting
{
    [Id(0)] public required DeviceId Device { get; init; }

    /// <summary>The device as lists show it; null when there is none.</summary>
    [Id(1)] public DeviceRow? Row { get; init; }

    /// <summary>The rollout's filter matches the row now.</summary>
    [Id(2)] public bool Matches { get; init; }

    /// <summary>Null for a device that is no member.</summary>
    [Id(3)] public MemberPlace? Member { get; init; }

    /// <summary>What the device would answer to an offer; null when it was not asked, or did not answer.</summary>
    [Id(4)] public OfferPreview? Preview { get; init; }

    /// <summary>Of a device that matches and is no member: why, as its share has found.</summary>
    [Id(100)] public LeftOutReason LeftOut { get; init; }
}

/// <summary>Where a member is, as its share knows it.</summary>
[GenerateSerializer, Immutable, Alias("muster.member-place")]
public sealed record MemberPlace
{
    [Id(0)] public required int Wave { get; init; }

    [Id(1)] public required MemberStatus Status { get; init; }

    /// <summary>The attempt that it is in or waits for, or that was its last: how many ended before it.</summary>
    [Id(2)] public required int Retry { get; init; }

    [Id(3)] public required MemberWait Wait { get; init; }

    /// <summary>When its back-off ends; null when it has none.</summary>
    [Id(4)] public DateTimeOffset? DueAt { get; init; }

    /// <summary>From when it is waited for; null while it is not its turn.</summary>
    [Id(5)] public DateTimeOffset? TurnAt { get; init; }

    /// <summary>Its offer; null when it has no permit.</summary>
    [Id(6)] public OpenOffer? Offer { get; init; }

    /// <summary>Why and when it was left out or given up; null when it was not.</summary>
    [Id(7)] public MemberEnd? End { get; init; }

    /// <summary>The group that has no seat for it; null when none keeps it waiting.</summary>
    [Id(105)] public GroupName? FullGroup { get; init; }
}

/// <summary>Why a device is no member of a rollout.</summary>
public enum NotMember
{
    /// <summary>It is one.</summary>
    Unspecified = 0,

    /// <summary>The members are frozen at the start.</summary>
    NotStarted = 1,

    UnknownDevice = 2,

    FilterDoesNotMatch = 3,

    /// <summary>It matches; only devices in service are members.</summary>
    NotInService = 4,

    /// <summary>It matches and is in service, and was not when the members were frozen.</summary>
    JoinedLater = 5,

    /// <summary>It matches and is in service; the rollout retries the rest of another, and it is none of that.</summary>
    NotAmongTheRest = 6,

    /// <summary>It matches and is in service since the freeze, and joins the last wave when its share looks next.</summary>
    JoinsSoon = 7,
}

/// <summary>Where a device is in a rollout, what it waits for, or how it ended (rollouts.md 25).</summary>
[GenerateSerializer, Immutable, Alias("muster.device-explanation")]
public sealed record DeviceExplanation
{
    [Id(0)] public required DeviceId Device { get; init; }

    [Id(1)] public NotMember NotMember { get; init; }

    /// <summary>Zero-based; null for a device that is no member.</summary>
    [Id(2)] public int? Wave { get; init; }

    [Id(3)] public MemberStatus Status { get; init; }

    /// <summary>From 1; 0 for a device that is no member.</summary>
    [Id(4)] public int Attempt { get; init; }

    [Id(5)] public int MaxAttempts { get; init; }

    /// <summary>Empty when it has an outcome.</summary>
    [Id(6)] public ImmutableArray<WaitingOn> WaitingOn { get; init; } = [];

    /// <summary>When that is over at the latest, as far as time alone ends it.</summary>
    [Id(7)] public DateTimeOffset? Until { get; init; }

    /// <summary>Why it ended so, or which precondition it does not meet: a fixed name, or the device's own words.</summary>
    [Id(8)] public string Reason { get; init; } = "";

    [Id(9)] public DateTimeOffset? OfferedAt { get; init; }

    [Id(10)] public DateTimeOffset? DeliveredAt { get; init; }

    [Id(11)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>How far the device is with the change.</summary>
    [Id(12)] public ChangeStep Step { get; init; }

    /// <summary>The rollout that it is busy with; empty for none.</summary>
    [Id(13)] public string BusyWith { get; init; } = "";

    /// <summary>No connection has got the offer yet.</summary>
    [Id(110)] public bool IsHere { get; init; }

    /// <summary>Whether the device is asked to give the change up, and what it says.</summary>
    [Id(140)] public RecallState Recall { get; init; }

    /// <summary>The rollout that it is kept for although it is free; empty for none.</summary>
    [Id(111)] public string KeptFor { get; init; } = "";

    /// <summary>When it began to install, of a change with install windows; null before.</summary>
    [Id(120)] public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>One sentence for people.</summary>
    [Id(14)] public string Text { get; init; } = "";
}
