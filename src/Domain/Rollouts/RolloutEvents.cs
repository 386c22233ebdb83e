using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>A rollout was created; nothing is offered yet.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-created")]
public sealed record RolloutCreated(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] RolloutSpec Spec) : DomainEvent;

/// <summary>The members are frozen and the first wave may begin.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-started")]
public sealed record RolloutStarted(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] int Members,
    [property: Id(3)] ImmutableArray<int> MembersPerWave) : DomainEvent;

/// <summary>So many devices have joined after the freeze, all together; they are members of the last wave.</summary>
[GenerateSerializer, Immutable, Alias("muster.late-joiners-counted")]
public sealed record LateJoinersCounted(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] int Members) : DomainEvent;

/// <summary>The waves before that of the late joiners have passed: nobody joins any more but who matches now.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-joining-ended")]
public sealed record RolloutJoiningEnded(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave) : DomainEvent;

/// <summary>Devices of one partition match since the freeze and are members from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-members-joined")]
public sealed record RolloutMembersJoined(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Partition,
    [property: Id(2)] ImmutableArray<DeviceId> Devices) : DomainEvent;

/// <summary>The members of a wave (zero-based) are being offered the change.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-started")]
public sealed record WaveStarted(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] int Members) : DomainEvent;

/// <summary>The success gate of a wave is open and is watched until the soak ends.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-soaking")]
public sealed record WaveSoaking(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] DateTimeOffset SoakEndsAt) : DomainEvent;

/// <summary>The success gate of a soaking wave is not open any more: outcomes were taken back.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-soak-broken")]
public sealed record WaveSoakBroken(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave) : DomainEvent;

/// <summary>A wave passed; the reason is one of <see cref="PlanReasons"/>.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-passed")]
public sealed record WavePassed(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] string Reason,
    [property: Id(3)] ShareTotals Totals) : DomainEvent;

/// <summary>Partitions were granted more offers in a wave; <paramref name="Granted"/> is the wave's new total.</summary>
[GenerateSerializer, Immutable, Alias("muster.offers-granted")]
public sealed record OffersGranted(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] long Added,
    [property: Id(3)] long Granted) : DomainEvent;

/// <summary>A gate stopped the rollout; the reason is one of <see cref="PlanReasons"/>.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-suspended")]
public sealed record RolloutSuspended(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] string Reason,
    [property: Id(3)] ShareTotals Totals) : DomainEvent;

/// <summary>An operator stopped new offers; the new epoch fences late ones.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-paused")]
public sealed record RolloutPaused(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] string Reason) : DomainEvent;

/// <summary>
/// The image of a step was revoked: its offers that were not delivered are taken back, and the rollout goes on without it.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-step-revoked")]
public sealed record RolloutStepRevoked(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] string Digest,
    [property: Id(2)] string Version) : DomainEvent;

/// <summary>The image was revoked: the rollout stopped, and offers that were not delivered are taken back.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-image-revoked")]
public sealed record RolloutImageRevoked(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] string Digest) : DomainEvent;

/// <summary>An operator let the rollout go on; with an override he accepted what the gates had stopped.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-resumed")]
public sealed record RolloutResumed(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] bool Override,
    [property: Id(3)] string Reason) : DomainEvent;

/// <summary>An operator cancelled the rollout; devices in progress still end.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-cancelling")]
public sealed record RolloutCancelling(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch,
    [property: Id(2)] string Reason) : DomainEvent;

/// <summary>Terminal: the cancelled rollout has no device in progress any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-cancelled")]
public sealed record RolloutCancelled([property: Id(0)] ResourceId Rollout) : DomainEvent;

/// <summary>Terminal: every wave passed and every member has an outcome.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-succeeded")]
public sealed record RolloutSucceeded(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Members,
    [property: Id(2)] int Succeeded) : DomainEvent;

/// <summary>Another activation coordinates the rollout from here on; offers of the one before are void.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-taken-over")]
public sealed record RolloutTakenOver(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] long Epoch) : DomainEvent;

/// <summary>Failures that an operator had accepted are none any more, because their devices try again; so many stay accepted.</summary>
[GenerateSerializer, Immutable, Alias("muster.accepted-failures-lapsed")]
public sealed record AcceptedFailuresLapsed(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] int FailedWaived) : DomainEvent;

/// <summary>A partition holds this many members of the rollout; their order is fixed.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-members-frozen")]
public sealed record RolloutMembersFrozen(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Partition,
    [property: Id(2)] int Members) : DomainEvent;

/// <summary>A partition took permits and will offer these devices the change; what it does not need has lapsed.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-permits-taken")]
public sealed record RolloutPermitsTaken(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Partition,
    [property: Id(2)] ImmutableArray<DeviceId> Devices) : DomainEvent;

/// <summary>A member is left out; the reason is the device's answer to the offer, such as <c>MODEL_NOT_COMPATIBLE</c>.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-member-skipped")]
public sealed record RolloutMemberSkipped(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] string Reason) : DomainEvent;

/// <summary>
/// A member whose device left service has left the rollout: it is in neither side of a gate any more, whatever became of it before.
/// </summary>
/// <param name="Rollout">The rollout.</param>
/// <param name="Device">The member.</param>
/// <param name="Before">How it stood until then.</param>
[GenerateSerializer, Immutable, Alias("muster.rollout-member-removed")]
public sealed record RolloutMemberRemoved(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] DeviceId Device,
    [property: Id(2)] MemberStatus Before) : DomainEvent;

/// <summary>A member that never could be reached in the time it had has ended as timed out.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-member-timed-out")]
public sealed record RolloutMemberTimedOut(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] DeviceId Device) : DomainEvent;
