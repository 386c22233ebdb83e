namespace Muster.Domain.Rollouts;

/// <summary>An operator approved a draft's spec, which he named by its fingerprint.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-approved")]
public sealed record RolloutApproved(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] string Fingerprint,
    [property: Id(2)] int Approvals,
    [property: Id(3)] int Needed) : DomainEvent;

/// <summary>A draft was written anew; what was approved of it before does not count any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-edited")]
public sealed record RolloutEdited(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] RolloutSpec Spec) : DomainEvent;

/// <summary>
/// A start found how many devices the image would take to an older version: it was refused, because too few operators have approved
/// that, or there are none any more for which an approval was waited for.
/// </summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-downgrades-found")]
public sealed record RolloutDowngradesFound(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Devices,
    [property: Id(2)] int Needed) : DomainEvent;

/// <summary>The gate of a wave is open, and an approver decides whether the next one starts.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-awaiting-approval")]
public sealed record WaveAwaitingApproval(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] ShareTotals Totals) : DomainEvent;

/// <summary>The success gate of a wave is not open any more while an approver was waited for; an approval of it is void.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-approval-wait-broken")]
public sealed record WaveApprovalWaitBroken(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave) : DomainEvent;

/// <summary>An approver let the wave behind this one start.</summary>
[GenerateSerializer, Immutable, Alias("muster.wave-approved")]
public sealed record WaveApproved(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] ShareTotals Totals) : DomainEvent;

/// <summary>A failure gate ends the rollout; devices in progress still end.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-aborting")]
public sealed record RolloutAborting(
    [property: Id(0)] ResourceId Rollout,
    [property: Id(1)] int Wave,
    [property: Id(2)] long Epoch,
    [property: Id(3)] ShareTotals Totals) : DomainEvent;

/// <summary>Terminal: the aborted rollout has no device in progress any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.rollout-aborted")]
public sealed record RolloutAborted([property: Id(0)] ResourceId Rollout) : DomainEvent;
