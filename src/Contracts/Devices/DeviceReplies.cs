using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Contracts.Devices;

/// <summary>The committed device, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.device-reply")]
public sealed record DeviceReply([property: Id(0)] Device? Device, [property: Id(1)] FleetError? Error)
{
    /// <summary>The reported settings, answered to a get alone: the device's own are its record's cold part and never travel.</summary>
    [Id(2)] public ImmutableArray<DeviceSetting> Settings { get; init; } = [];

    /// <summary>True of a command that found the device as it should be.</summary>
    [Id(3)] public bool IsUnchanged { get; init; }

    /// <summary>Of a creation: why no device may enrol as it yet, because another tenant has to do with its serial; null mostly.</summary>
    [Id(4)] public FleetError? SerialWaits { get; init; }
}

/// <summary>The answer to a connection.</summary>
/// <param name="Epoch">For a receiving session: the epoch it speaks with. 0 otherwise.</param>
/// <param name="SessionPresent">True when the device was known before: CONNACK's Session Present.</param>
/// <param name="Error">Why it is refused; null when it is admitted.</param>
[GenerateSerializer, Immutable, Alias("muster.admit-reply")]
public sealed record AdmitReply([property: Id(0)] long Epoch, [property: Id(1)] bool SessionPresent, [property: Id(2)] FleetError? Error)
{
    /// <summary>When the certificate stops opening doors, as the record is now; null for as long as it stays so.</summary>
    [Id(40)] public DateTimeOffset? AcceptedUntil { get; init; }
}

/// <summary>The three endings of an up message (design.md §5); "not possible now" is an exception.</summary>
/// <param name="Error">Null: committed, or nothing to commit (PUBACK 0). Else refused for ever.</param>
[GenerateSerializer, Immutable, Alias("muster.up-reply")]
public sealed record UpReply([property: Id(0)] FleetError? Error)
{
    /// <summary>Committed, a known repetition, or nothing to commit.</summary>
    public static UpReply Accepted { get; } = new((FleetError?)null);

    /// <summary>The same, and the gateway owes the device the <c>ack</c>.</summary>
    public static UpReply AcceptedOwingAck { get; } = new((FleetError?)null) { OwesAck = true };

    /// <summary>
    /// The message came over the session that receives: its gateway sends the <c>ack</c> together with the PUBACK. Otherwise the grain
    /// has sent it to where that session is.
    /// </summary>
    [Id(1)] public bool OwesAck { get; init; }
}

/// <summary>What became of an offer.</summary>
public enum OfferStatus
{
    /// <summary>Never sent.</summary>
    Unspecified = 0,

    /// <summary>Committed just now or before: the change is in progress.</summary>
    Offered = 1,

    /// <summary>Not offered: the device has no session. No permit is used.</summary>
    WaitingOffline = 2,

    /// <summary>Not offered: another change is in progress. No permit is used.</summary>
    WaitingBusy = 3,

    /// <summary>Not offered: the epoch is older than the fence. The permit is void.</summary>
    Fenced = 4,

    /// <summary>The change has ended; see the outcome.</summary>
    Closed = 5,
}

/// <summary>What became of an offer.</summary>
/// <param name="Status">Offered, waiting, fenced or closed.</param>
/// <param name="Outcome">For <see cref="OfferStatus.Closed"/>.</param>
/// <param name="Reason">For skipped, failed or rejected: why.</param>
/// <param name="DeliveredAt">When the device named the generation; null before.</param>
[GenerateSerializer, Immutable, Alias("muster.offer-reply")]
public sealed record OfferReply(
    [property: Id(0)] OfferStatus Status,
    [property: Id(1)] ChangeOutcome Outcome,
    [property: Id(2)] string Reason,
    [property: Id(3)] DateTimeOffset? DeliveredAt)
{
    /// <summary>Which attempt it speaks of: how many ended before it.</summary>
    [Id(4)] public int Retry { get; init; }

    /// <summary>When that attempt ended; null while it is open, and when there was none.</summary>
    [Id(5)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When the device began to install, of a change with install windows; null before.</summary>
    [Id(120)] public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>For <see cref="OfferStatus.WaitingBusy"/>: asking before this is of no use; null when nobody knows.</summary>
    [Id(6)] public DateTimeOffset? AskAgainAt { get; init; }

    /// <summary>
    /// The desired generation of the rollout's newest offer that the device knows, in progress or over: facts of earlier ones are late.
    /// 0 for none, and from a silo of an earlier version.
    /// </summary>
    [Id(127)] public long Generation { get; init; }

    /// <summary>
    /// The rollout took the device over a step, in whichever attempt, as far as the device knows. False from a silo of an earlier version.
    /// </summary>
    [Id(128)] public bool HasStepped { get; init; }

    /// <summary>
    /// The image that is offered where the device alone knows which: on the way back, and of a step. Null of the rollout's own image, and
    /// from a silo of an earlier version, which says none of a step.
    /// </summary>
    [Id(162)] public string? ChosenDigest { get; init; }

    /// <summary>
    /// For <see cref="OfferStatus.Offered"/>, of one that is not the first of its attempt: when that was made. Null from a silo of an
    /// earlier version, which counts from the offer itself.
    /// </summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }
}
