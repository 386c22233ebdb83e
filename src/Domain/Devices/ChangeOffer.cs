namespace Muster.Domain.Devices;

/// <summary>An OS image that a rollout offers to a device.</summary>
/// <param name="Models">Models that the image is for; empty for all.</param>
public sealed record ChangeOffer(
    ResourceId Rollout,
    long Epoch,
    OsTarget Target,
    string Track,
    ImmutableArray<string> Models)
{
    /// <summary>True when the rollout may move a device to another track.</summary>
    public bool AllowTrackChange { get; init; }
}

/// <summary>What became of an offer, as the device's record alone knows it.</summary>
public enum OfferVerdict
{
    /// <summary>Never stored.</summary>
    Unspecified = 0,

    /// <summary>It is in progress, from now or from before.</summary>
    InProgress = 1,

    /// <summary>Not offered: the device has no session.</summary>
    Offline = 2,

    /// <summary>Not offered: another change is in progress (I2).</summary>
    Busy = 3,

    /// <summary>It ended, or there is nothing to offer; see the outcome.</summary>
    Closed = 4,
}

/// <summary>The decision about an offer.</summary>
/// <param name="Next">The device after it.</param>
/// <param name="Events">What follows; empty when nothing changes.</param>
/// <param name="Verdict">What became of it.</param>
public sealed record OfferDecision(Device Next, ImmutableArray<DomainEvent> Events, OfferVerdict Verdict)
{
    /// <summary>For <see cref="OfferVerdict.Closed"/>.</summary>
    public ChangeOutcome Outcome { get; init; }

    /// <summary>For an outcome other than success: why.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When the device named the generation; null before.</summary>
    public DateTimeOffset? DeliveredAt { get; init; }
}
