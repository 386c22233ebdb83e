using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>The OS image that a device shall run.</summary>
/// <param name="Digest">SHA-256 of the image file, 64 lower-case hex digits.</param>
/// <param name="Version">The image's version, as its publisher states it.</param>
/// <param name="SizeBytes">The exact length of the file.</param>
/// <param name="Signature">The detached CMS signature over the file (RFC 5652, DER): the device verifies it itself.</param>
[GenerateSerializer, Immutable, Alias("muster.os-target")]
public sealed record OsTarget(
    [property: Id(0)] string Digest,
    [property: Id(1)] string Version,
    [property: Id(2)] long SizeBytes,
    [property: Id(3)] ImmutableArray<byte> Signature)
{
    /// <summary>No image: the change is of another kind.</summary>
    public static OsTarget None { get; } = new("", "", 0, []);
}

/// <summary>
/// What operators want of a device. The generation grows with every change; an older one never wins, on either side.
/// </summary>
/// <param name="Generation">From 1; 0 means nothing was ever desired.</param>
/// <param name="Os">The image to run; null to leave it alone.</param>
/// <param name="Change">The change that put this generation here; null when no change is behind it.</param>
[GenerateSerializer, Immutable, Alias("muster.desired-state")]
public sealed record DesiredState(
    [property: Id(0)] long Generation,
    [property: Id(1)] OsTarget? Os,
    [property: Id(2)] string? Change)
{
    /// <summary>Nothing was ever desired.</summary>
    public static DesiredState None { get; } = new(0, null, null);

    /// <summary>
    /// The settings to have, each once and in the order of their names; those that it does not name are left alone. Null to leave all of
    /// them alone. A generation carries one change: with these there is no image.
    /// </summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>It says that there is nothing to do.</summary>
    public bool OrdersNothing => Os is null && Settings is null;

    /// <summary>What a change orders.</summary>
    public static DesiredState Of(ChangeInProgress change)
    {
        ArgumentNullException.ThrowIfNull(change);
        return new DesiredState(change.Generation, change.Kind == ChangeKind.OsImage ? change.Target : null, change.Rollout.Value)
        {
            Settings = change.Settings,
        };
    }
}

/// <summary>How a device's share of a rollout ended (rollouts.md 8).</summary>
public enum ChangeOutcome
{
    /// <summary>Still open.</summary>
    Unspecified = 0,

    /// <summary>
    /// Boot-confirmed: after a reboot with a new boot id the running image's digest is the target's. Of settings: the reported ones are the
    /// desired ones.
    /// </summary>
    Succeeded = 1,

    /// <summary>The device says that it failed, or it runs another image after its reboot, or reports other settings.</summary>
    Failed = 2,

    /// <summary>It did not end in the time it had.</summary>
    TimedOut = 3,

    /// <summary>The device refused the offer.</summary>
    Rejected = 4,

    /// <summary>Nothing to do or not allowed: already there, wrong model, other track.</summary>
    Skipped = 5,

    /// <summary>The device left the rollout: quarantined, decommissioned.</summary>
    Removed = 6,

    /// <summary>The offer was taken back before it had an outcome.</summary>
    Withdrawn = 7,

    /// <summary>
    /// Boot-confirmed as a success, of the image of a step on the way to the rollout's: the attempt goes on with the next offer.
    /// </summary>
    StepTaken = 8,
}

/// <summary>How far the device is with the change in progress, as it reports it.</summary>
public enum ChangeStep
{
    /// <summary>Not said yet.</summary>
    Unspecified = 0,

    /// <summary>The offer is committed, and the device has not named its generation yet.</summary>
    Offered = 1,

    /// <summary>A hello or report named the generation.</summary>
    Delivered = 2,

    Downloading = 3,

    Verifying = 4,

    Installing = 5,

    /// <summary>Installed, on its way down; the outcome is decided by the next hello.</summary>
    Rebooting = 6,
}

/// <summary>The one change a device has in progress (I2).</summary>
/// <param name="Rollout">The rollout's id.</param>
/// <param name="Epoch">The rollout's epoch that the offer was fenced by.</param>
/// <param name="Generation">The desired generation that carries the offer.</param>
/// <param name="Target">The image offered; <see cref="OsTarget.None"/> of settings.</param>
/// <param name="Step">How far it is.</param>
/// <param name="BootIdAtOffer">The boot the device was in: success needs another one.</param>
/// <param name="OfferedAt">When the offer was committed.</param>
/// <param name="DeliveredAt">When the device first named the generation; null before.</param>
/// <param name="PreviousDigest">The digest it ran before, the way back; empty when unknown.</param>
[GenerateSerializer, Immutable, Alias("muster.change-in-progress")]
public sealed record ChangeInProgress(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] long Generation,
    [property: Id(3)] OsTarget Target,
    [property: Id(4)] ChangeStep Step,
    [property: Id(5)] string BootIdAtOffer,
    [property: Id(6)] DateTimeOffset OfferedAt,
    [property: Id(7)] DateTimeOffset? DeliveredAt,
    [property: Id(8)] string PreviousDigest)
{
    /// <summary>The target's track; a success moves the device there.</summary>
    [Id(9)] public string Track { get; init; } = "";

    /// <summary>
    /// The boot in which <see cref="Step"/> was reported, or in which the device refused to give it up: another image in another boot
    /// decides an installation.
    /// </summary>
    [Id(10)] public string StepBootId { get; init; } = "";

    /// <summary>The version that a success raises the device's floor to; null or empty for none.</summary>
    [Id(11)] public string? SecurityFloor { get; init; }

    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(12)] public int Retry { get; init; }

    /// <summary>The settings offered; null for an image.</summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>Images of rollouts that were started before this, in UTC ticks, are not offered any more; 0 for none.</summary>
    [Id(110)] public long SupersedesBefore { get; init; }

    /// <summary>
    /// The desired generation, which orders nothing, by which the device was asked to give the change up; 0 when it was not asked.
    /// </summary>
    [Id(140)] public long RecalledBy { get; init; }

    /// <summary>When the device may begin to install; none for always.</summary>
    [Id(120)] public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];

    /// <summary>When its first report came that says that it installs; null before, and without <see cref="InstallWindows"/>.</summary>
    [Id(121)] public DateTimeOffset? InstallsSince { get; init; }

    /// <summary>
    /// When its attempt was offered first, of one that went back and was made again: its time to be delivered runs from there. Null for a
    /// first offer, and in records of earlier versions.
    /// </summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>The device has said that it goes on with it all the same.</summary>
    [Id(141)] public bool IsRecallRefused { get; init; }

    /// <summary>Steps of the same attempt that were taken before it.</summary>
    [Id(128)] public int StepsTaken { get; init; }

    /// <summary>
    /// Offers of the same attempt that come behind it, because it is a step to the rollout's image; 0 for that image itself.
    /// </summary>
    [Id(129)] public int StepsLeft { get; init; }

    /// <summary>The device is asked to give the change up, and has not said that it does not.</summary>
    public bool IsRecalled => RecalledBy > 0 && !IsRecallRefused;

    public ChangeKind Kind => Settings is null ? ChangeKind.OsImage : ChangeKind.Settings;
}

/// <summary>The last change that ended, kept so that a repeated or late message is answered the same.</summary>
[GenerateSerializer, Immutable, Alias("muster.closed-change")]
public sealed record ClosedChange(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Generation,
    [property: Id(2)] ChangeOutcome Outcome,
    [property: Id(3)] string Reason,
    [property: Id(4)] DateTimeOffset ClosedAt,
    [property: Id(5)] string TargetDigest)
{
    /// <summary>Attempts of the same rollout that ended before it.</summary>
    [Id(6)] public int Retry { get; init; }

    /// <summary>The digest that the device ran before it; null or empty when unknown.</summary>
    [Id(64)] public string? PreviousDigest { get; init; }

    /// <summary>What the rollout's way back leads to; null or empty when unknown.</summary>
    internal string? WayBackDigest => WayBack.Is(Retry) ? TargetDigest : PreviousDigest;

    [Id(70)] public ChangeKind Kind { get; init; }

    /// <summary>What the device has to report still; null unless it is the newest change of settings, and succeeded.</summary>
    [Id(71)] public SettingSet? Settings { get; init; }

    /// <summary>Images of rollouts that were started before this, in UTC ticks, are not offered any more; 0 for none.</summary>
    [Id(110)] public long SupersedesBefore { get; init; }

    /// <summary>Steps of the same attempt that were taken, this one included.</summary>
    [Id(128)] public int StepsTaken { get; init; }

    /// <summary>
    /// The generation of the last step that the rollout took the device over, in this attempt or in one before it: what it ran then was
    /// ordered, whatever became of the offers behind it. 0 for none.
    /// </summary>
    [Id(129)] public long StepGeneration { get; init; }

    /// <summary>The rollout took the device over a step.</summary>
    public bool HasStepped => StepGeneration > 0;

    /// <summary>The device was asked to give it up before it ended.</summary>
    [Id(140)] public bool WasRecalled { get; init; }

    /// <summary>
    /// The boot in which the device worked on it, or on an attempt before it, when its timer or an order ended that, and perhaps goes on;
    /// null when it had said nothing of that, has left it since, or was itself the end.
    /// </summary>
    [Id(160)] public string? WorkedInBoot { get; init; }

    /// <summary>The device had begun to install when its timer ended it: what is begun is finished, windows or not.</summary>
    [Id(161)] public bool HadBegun { get; init; }
}
