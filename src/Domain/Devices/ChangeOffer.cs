using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>What a rollout offers to a device: an OS image, or <see cref="Settings"/>, with which all about images is empty.</summary>
/// <param name="Models">Models that the image is for; empty for all.</param>
public sealed record ChangeOffer(
    ResourceId Rollout,
    long Epoch,
    OsTarget Target,
    string Track,
    ImmutableArray<string> Models)
{
    /// <summary>The settings that it offers; null for an image.</summary>
    public SettingSet? Settings { get; init; }

    public ChangeKind Kind => Settings is null ? ChangeKind.OsImage : ChangeKind.Settings;

    /// <summary>True when the rollout may move a device to another track.</summary>
    public bool AllowTrackChange { get; init; }

    /// <summary>What the image asks of the device.</summary>
    public ImageConditions Conditions { get; init; } = ImageConditions.None;

    /// <summary>Images that take devices over the steps that the conditions ask for; none when nobody is taken.</summary>
    public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>
    /// The image of <see cref="StepPath.Find"/> as the catalogue has it; null when there is no step, or it is not published any more.
    /// </summary>
    public StepOffer? Step { get; init; }

    /// <summary>Whom the image is for.</summary>
    public ImageNeeds Needs => new(Target, AllowTrackChange ? null : Track, Models, Conditions) { Path = Path, KeepsNewer = KeepsNewer };

    /// <summary>A device that runs a newer version keeps it: nobody has approved that the rollout takes it back.</summary>
    public bool KeepsNewer { get; init; }

    /// <summary>The place of its rollout among those that wait for the device; null from a silo of an earlier version.</summary>
    public ChangeRank? Rank { get; init; }

    /// <summary>Attempts of the same rollout that ended before this one.</summary>
    public int Retry { get; init; }

    /// <summary>When the attempt was offered first, if an offer of it went back; null when this is the first.</summary>
    public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>
    /// On the way back: for so long a device may still install what its rollout has ended with; zero to take it for what it runs now.
    /// </summary>
    public TimeSpan SettlesWithin { get; init; }

    /// <summary>When the device may begin to install; none for always.</summary>
    public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];
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

    /// <summary>For <see cref="OfferVerdict.InProgress"/>, of one that is not the first of its attempt: when that was made.</summary>
    public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>When the device named the generation; null before.</summary>
    public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>When the device began to install, of a change with install windows; null before.</summary>
    public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>Which attempt it speaks of: how many ended before it.</summary>
    public int Retry { get; init; }

    /// <summary>For <see cref="OfferVerdict.Busy"/>: asking before this is of no use; null when nobody knows.</summary>
    public DateTimeOffset? AskAgainAt { get; init; }

    /// <summary>When that attempt ended; null while it is open, and when there was none.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}
