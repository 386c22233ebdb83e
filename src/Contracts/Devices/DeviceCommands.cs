using Muster.Contracts.Gateways;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Contracts.Devices;

/// <summary>Puts a device on the delivery list.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); the same id gives the same answer.</param>
/// <param name="Spec">What is expected.</param>
[GenerateSerializer, Immutable, Alias("muster.expect-device")]
public sealed record ExpectDevice(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ExpectedDevice Spec)
{
    /// <summary>What operators note of it from the start, in the order of their names.</summary>
    [Id(3)] public ImmutableArray<DeviceLabel> Labels { get; init; } = [];

    /// <summary>The only certificate it may enrol with (64 lower-case hex digits); null for any of this device.</summary>
    [Id(4)] public string? CertificateSha256 { get; init; }
}

/// <summary>Changes what operators note of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.edit-device")]
public sealed record EditDevice([property: Id(0)] Actor Actor, [property: Id(1)] DeviceEdit Edit);

/// <summary>Asks to open a connection.</summary>
/// <param name="Identity">Proved by the TLS handshake.</param>
/// <param name="Receives">True for the one session that receives down messages; false for one that only publishes or downloads.</param>
/// <param name="Gateway">Where down messages go; null unless it receives.</param>
/// <param name="GatewayId">The gateway's name, unique per process start.</param>
[GenerateSerializer, Immutable, Alias("muster.admit-session")]
public sealed record AdmitSession(
    [property: Id(0)] DeviceIdentity Identity,
    [property: Id(1)] bool Receives,
    [property: Id(2)] IGatewayObserver? Gateway,
    [property: Id(3)] string GatewayId)
{
    /// <summary>
    /// True to share the session that is open, if there is one: behind a broker the messages of one device come by several gateways, and
    /// each of them reaches it. The answer has that session's epoch.
    /// </summary>
    [Id(4)] public bool Joins { get; init; }
}

/// <summary>The session that a message came by, or 0 for one that only publishes.</summary>
/// <param name="GatewayId">The gateway's name.</param>
/// <param name="Epoch">The epoch the session was admitted with; 0 for sessions that only publish.</param>
/// <param name="Gateway">Where down messages go; null for sessions that only publish.</param>
[GenerateSerializer, Immutable, Alias("muster.session-ref")]
public sealed record SessionRef(
    [property: Id(0)] string GatewayId,
    [property: Id(1)] long Epoch,
    [property: Id(2)] IGatewayObserver? Gateway);

/// <summary>What every up message carries beside its content.</summary>
/// <param name="Identity">Proved by the TLS handshake.</param>
/// <param name="Session">Where it came from.</param>
/// <param name="Stamp">Boot id and sequence: repetitions are answered, not applied.</param>
[GenerateSerializer, Immutable, Alias("muster.up-envelope")]
public sealed record UpEnvelope(
    [property: Id(0)] DeviceIdentity Identity,
    [property: Id(1)] SessionRef Session,
    [property: Id(2)] MessageStamp Stamp);

/// <summary>Who and what the device is.</summary>
/// <param name="Envelope">Identity, session, stamp.</param>
/// <param name="Serial">The serial that the payload claims; it may only agree with the certificate's.</param>
/// <param name="Model">The product, for example <c>P3265-V</c>.</param>
/// <param name="Os">What runs.</param>
/// <param name="Generation">The desired generation it has reached.</param>
[GenerateSerializer, Immutable, Alias("muster.report-hello")]
public sealed record ReportHello(
    [property: Id(0)] UpEnvelope Envelope,
    [property: Id(1)] string Serial,
    [property: Id(2)] string Model,
    [property: Id(3)] ReportedOs Os,
    [property: Id(4)] long Generation);

/// <summary>Cheap health.</summary>
[GenerateSerializer, Immutable, Alias("muster.report-status")]
public sealed record ReportStatus(
    [property: Id(0)] UpEnvelope Envelope,
    [property: Id(1)] DeviceHealth Health);

/// <summary>What the device said in its maker's own words, not in Muster's messages: it has no stamp.</summary>
/// <param name="Identity">Proved by the TLS handshake.</param>
/// <param name="Session">Where it came from.</param>
/// <param name="Signal">
/// An alarm; null for what does not concern the fleet, which is asked about all the same: a tombstone says nothing.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.report-native-event")]
public sealed record ReportNativeEvent(
    [property: Id(0)] DeviceIdentity Identity,
    [property: Id(1)] SessionRef Session,
    [property: Id(2)] AlarmSignal? Signal);

/// <summary>Progress or outcome of a generation.</summary>
/// <param name="Envelope">Identity, session, stamp.</param>
/// <param name="Generation">The generation it speaks of.</param>
/// <param name="Step">How far it is.</param>
/// <param name="Outcome">
/// <see cref="ChangeOutcome.Unspecified"/> for progress; else Failed or Rejected. Success is never taken from a report.
/// </param>
/// <param name="Reason">The device's words for a failure, at most 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.report-progress")]
public sealed record ReportProgress(
    [property: Id(0)] UpEnvelope Envelope,
    [property: Id(1)] long Generation,
    [property: Id(2)] ChangeStep Step,
    [property: Id(3)] ChangeOutcome Outcome,
    [property: Id(4)] string Reason);

/// <summary>The device's settings, whole.</summary>
[GenerateSerializer, Immutable, Alias("muster.report-inventory")]
public sealed record ReportInventory(
    [property: Id(0)] UpEnvelope Envelope,
    [property: Id(1)] ImmutableArray<DeviceSetting> Settings)
{
    /// <summary>The highest desired generation whose settings were applied before these were read; 0 when it does not say.</summary>
    [Id(70)] public long Generation { get; init; }
}

/// <summary>The answer to a one-shot command.</summary>
/// <param name="Envelope">Identity, session, stamp.</param>
/// <param name="Nonce">The command's nonce.</param>
/// <param name="Succeeded">Whether it was done.</param>
/// <param name="Reason">The device's words for a failure, at most 200 characters.</param>
/// <param name="Proof">For an erasure: the signature over the canonical bytes of the erasure proof; empty otherwise.</param>
[GenerateSerializer, Immutable, Alias("muster.report-result")]
public sealed record ReportResult(
    [property: Id(0)] UpEnvelope Envelope,
    [property: Id(1)] string Nonce,
    [property: Id(2)] bool Succeeded,
    [property: Id(3)] string Reason,
    [property: Id(4)] ImmutableArray<byte> Proof);

/// <summary>Approves an enrolment that waits.</summary>
/// <param name="Actor">Who approves it.</param>
/// <param name="CertificateSha256">The certificate that he has seen; null for whichever it enrols with.</param>
[GenerateSerializer, Immutable, Alias("muster.approve-enrollment")]
public sealed record ApproveEnrollment(
    [property: Id(0)] Actor Actor, [property: Id(1)] Sha256Hash? CertificateSha256 = null);

/// <summary>Denies an enrolment that waits.</summary>
/// <param name="Actor">Who denies it.</param>
/// <param name="Cause">Why, in words; at most 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.deny-enrollment")]
public sealed record DenyEnrollment([property: Id(0)] Actor Actor, [property: Id(1)] string Cause);

/// <summary>Takes back that a device is expected.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Cause">In words, 1 to 200 characters.</param>
[GenerateSerializer, Immutable, Alias("muster.withdraw-device")]
public sealed record WithdrawDevice([property: Id(0)] Actor Actor, [property: Id(1)] string Cause);

/// <summary>Sets a device apart, with a cause in words (1 to 200 characters).</summary>
[GenerateSerializer, Immutable, Alias("muster.quarantine-device")]
public sealed record QuarantineDevice([property: Id(0)] Actor Actor, [property: Id(1)] string Cause);

/// <summary>Takes a quarantined device back into service, with a cause in words (1 to 200 characters).</summary>
[GenerateSerializer, Immutable, Alias("muster.release-device")]
public sealed record ReleaseDevice([property: Id(0)] Actor Actor, [property: Id(1)] string Cause);

/// <summary>Offers the change of a rollout: an OS image, or <see cref="Settings"/>, with which all about images is empty.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Epoch">The epoch the share was granted; the fence refuses an older one.</param>
/// <param name="Target">The image.</param>
/// <param name="Track">The image's track.</param>
/// <param name="Models">Models the image is for.</param>
/// <param name="AllowTrackChange">True when the rollout may move a device to another track.</param>
[GenerateSerializer, Immutable, Alias("muster.offer-change")]
public sealed record OfferChange(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] OsTarget Target,
    [property: Id(3)] string Track,
    [property: Id(4)] ImmutableArray<string> Models,
    [property: Id(5)] bool AllowTrackChange)
{
    /// <summary>What the image asks of the device; null from a silo of an earlier version.</summary>
    [Id(6)] public ImageConditions? Conditions { get; init; }

    /// <summary>
    /// Attempts of the rollout that ended before this one. One of its way back (<see cref="WayBack"/>) names the image that is left: what
    /// is offered is what the device ran before.
    /// </summary>
    [Id(7)] public int Retry { get; init; }

    /// <summary>
    /// On the way back: for so long after its end the device may still install what it was offered on the way there. Zero from a silo of an
    /// earlier version.
    /// </summary>
    [Id(8)] public TimeSpan SettlesWithin { get; init; }

    /// <summary>
    /// When the attempt was offered first, if an offer of it went back: it is waited for no longer than that one would have been. Null for
    /// a first offer, and from a silo of an earlier version.
    /// </summary>
    [Id(158)] public DateTimeOffset? FirstOfferedAt { get; init; }

    /// <summary>The settings to have; null for an image.</summary>
    [Id(70)] public SettingSet? Settings { get; init; }

    /// <summary>The rollout's place among those that wait for the device; null from a silo of an earlier version.</summary>
    [Id(110)] public ChangeRank? Rank { get; init; }

    /// <summary>
    /// Images that take the device over the steps that the conditions ask for, at most <see cref="StepImage.PathMax"/>; none when it is not
    /// taken over them.
    /// </summary>
    [Id(125)] public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>When the device may begin to install; none for always.</summary>
    [Id(120)] public ImmutableArray<OfferWindow> InstallWindows { get; init; } = [];

    /// <summary>A device that runs a newer version keeps it: the rollout has no approval to take it back.</summary>
    [Id(182)] public bool KeepsNewer { get; init; }
}

/// <summary>A rollout waits until the device is free.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Rank">Its place among those that wait.</param>
[GenerateSerializer, Immutable, Alias("muster.await-turn")]
public sealed record AwaitTurn([property: Id(0)] ResourceId Rollout, [property: Id(1)] ChangeRank Rank);

/// <summary>Closes a rollout's change whose time is over, as the policy of the timer says.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="InProgressMax">How long it may be in progress from its delivery.</param>
/// <param name="UndeliveredMax">How long it may be undelivered from the first offer of its attempt.</param>
[GenerateSerializer, Immutable, Alias("muster.expire-change")]
public sealed record ExpireChange(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] TimeSpan InProgressMax,
    [property: Id(2)] TimeSpan UndeliveredMax)
{
    /// <summary>The attempt that is asked about: how many ended before it.</summary>
    [Id(3)] public int Retry { get; init; }

    [Id(4)] public TimeoutPolicy InProgressPolicy { get; init; }

    [Id(5)] public TimeoutPolicy UndeliveredPolicy { get; init; }

    /// <summary>
    /// The rollout is cancelled: an offer of which no message was handed to a connection is taken back at once, and a device that may have
    /// it is asked to give it up. A silo of an earlier version does neither, or only the first; the timers go on.
    /// </summary>
    [Id(110)] public bool IsCancelled { get; init; }
}

/// <summary>A message with an offer that found no connection.</summary>
/// <param name="Epoch">The session that it was for.</param>
/// <param name="Generation">The desired generation in it.</param>
/// <param name="Sent">The number that it came with.</param>
[GenerateSerializer, Immutable, Alias("muster.return-delivery")]
public sealed record ReturnDelivery([property: Id(0)] long Epoch, [property: Id(1)] long Generation, [property: Id(2)] int Sent)
{
    /// <summary>Nothing for a message that nobody wants back.</summary>
    public static ReturnDelivery? Of(DownDelivery delivery)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        return delivery is { Sent: > 0, Message: DesiredMessage message }
            ? new ReturnDelivery(delivery.Epoch, message.Desired.Generation, delivery.Sent)
            : null;
    }
}

/// <summary>Takes a rollout's offer back unless it was delivered.</summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Reason">A name of <c>muster.v1.ErrorReason</c>.</param>
[GenerateSerializer, Immutable, Alias("muster.withdraw-change")]
public sealed record WithdrawChange([property: Id(0)] ResourceId Rollout, [property: Id(1)] string Reason)
{
    /// <summary>The attempt that is asked about: how many ended before it.</summary>
    [Id(2)] public int Retry { get; init; }

    /// <summary>
    /// The image of a step that is revoked: an offer of it alone is taken back, for good. Empty for whatever is offered, and from a share
    /// of an earlier version.
    /// </summary>
    [Id(124)] public string RevokedStep { get => field ?? ""; init; } = "";
}

/// <summary>Evaluates the device against the tenant's policies, which are at least at this version.</summary>
[GenerateSerializer, Immutable, Alias("muster.evaluate-policies")]
public sealed record EvaluatePolicies([property: Id(0)] Actor Actor, [property: Id(1)] long PolicyRevision);

/// <summary>Asks whether the identity may fetch the digest.</summary>
/// <param name="Identity">Proved by the connection; null for whoever has a link where TLS ends before Muster.</param>
/// <param name="Digest">Of the image.</param>
[GenerateSerializer, Immutable, Alias("muster.authorize-download")]
public sealed record AuthorizeDownload([property: Id(0)] DeviceIdentity? Identity, [property: Id(1)] string Digest);

/// <summary>Whether the device may fetch.</summary>
/// <param name="Error">Why not; null when it may.</param>
/// <param name="Site">Where it is; may be empty.</param>
[GenerateSerializer, Immutable, Alias("muster.download-clearance")]
public sealed record DownloadClearance([property: Id(0)] FleetError? Error, [property: Id(1)] string Site);

/// <summary>Begins the end of a device.</summary>
/// <param name="Actor">Who approved it.</param>
/// <param name="Command">The factory-default command that the device gets.</param>
[GenerateSerializer, Immutable, Alias("muster.begin-decommission")]
public sealed record BeginDecommission([property: Id(0)] Actor Actor, [property: Id(1)] DeviceCommand Command);
