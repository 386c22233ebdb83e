namespace Muster.Domain.Devices;

/// <summary>A change was offered to the device: the desired generation that carries it is committed.</summary>
[GenerateSerializer, Immutable, Alias("muster.change-offered")]
public sealed record ChangeOffered(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] long Generation,
    [property: Id(3)] string TargetDigest) : DomainEvent
{
    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(4)] public int Retry { get; init; }

    /// <summary>Of one that is not the first of its attempt: when that was made.</summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }
}

/// <summary>The device named the generation for the first time; the time in progress runs from here.</summary>
[GenerateSerializer, Immutable, Alias("muster.change-delivered")]
public sealed record ChangeDelivered(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation) : DomainEvent
{
    /// <summary>How far the device was when it named it.</summary>
    [Id(2)] public ChangeStep Step { get; init; } = ChangeStep.Delivered;

    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(3)] public int Retry { get; init; }

    /// <summary>Whether it began to install with this report.</summary>
    [Id(120)] public InstallStart Install { get; init; }
}

/// <summary>The device reported how far it is; the report that delivers a change is <see cref="ChangeDelivered"/> instead.</summary>
[GenerateSerializer, Immutable, Alias("muster.change-progressed")]
public sealed record ChangeProgressed(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation,
    [property: Id(2)] ChangeStep Step) : DomainEvent
{
    /// <summary>Attempts of the same rollout that ended before it; 0 from a silo of an earlier version.</summary>
    [Id(120)] public int Retry { get; init; }

    /// <summary>Whether it began to install with this report.</summary>
    [Id(121)] public InstallStart Install { get; init; }
}

/// <summary>The first report of a device that installs a change with install windows.</summary>
public enum InstallStart
{
    /// <summary>It is not that report, or there are no install windows.</summary>
    None = 0,

    /// <summary>It came while one of them was open.</summary>
    InWindow = 1,

    /// <summary>It came while all of them were shut.</summary>
    OutsideWindow = 2,
}

/// <summary>The change's rollout is cancelled: the device is asked to give it up, by a newer generation that orders nothing.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Generation">The desired generation that carries the change.</param>
/// <param name="RecalledBy">The newer one. When the device names it, the change is over.</param>
[GenerateSerializer, Immutable, Alias("muster.change-recalled")]
public sealed record ChangeRecalled(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation,
    [property: Id(2)] long RecalledBy) : DomainEvent
{
    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(3)] public int Retry { get; init; }
}

/// <summary>The device does not give the change up: it goes on with it, as far as its time goes.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Generation">The desired generation that carries the change.</param>
/// <param name="Reason">The device's words; may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.change-recall-refused")]
public sealed record ChangeRecallRefused(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation,
    [property: Id(2)] string Reason) : DomainEvent
{
    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(3)] public int Retry { get; init; }
}

/// <summary>A report of a generation whose change is closed: acknowledged, and nothing follows from it.</summary>
[GenerateSerializer, Immutable, Alias("muster.late-report-ignored")]
public sealed record LateReportIgnored(
    [property: Id(0)] long Generation,
    [property: Id(1)] ChangeStep Step) : DomainEvent;

/// <summary>
/// The change ended, or its outcome is another one than was told before (a later report of another image takes a success
/// back): the last fact of a device and a rollout counts.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.change-closed")]
public sealed record ChangeClosed(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation,
    [property: Id(2)] ChangeOutcome Outcome,
    [property: Id(3)] string Reason) : DomainEvent
{
    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(4)] public int Retry { get; init; }
}
