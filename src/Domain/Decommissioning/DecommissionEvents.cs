using Muster.Domain.Devices;
using Muster.Domain.Operators;

namespace Muster.Domain.Decommissioning;

/// <summary>A rule suggests the end of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-proposed")]
public sealed record DecommissionProposed(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DecommissionCause Cause,
    [property: Id(2)] string Campaign) : DomainEvent;

/// <summary>An operator asks for the end of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-requested")]
public sealed record DecommissionRequested(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DecommissionCause Cause,
    [property: Id(2)] Actor Requester) : DomainEvent;

/// <summary>Another operator approved it; the erasure command is issued.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-approved")]
public sealed record DecommissionApproved(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] Actor Requester,
    [property: Id(2)] Actor Approver,
    [property: Id(3)] ImmutableArray<OperatorRole> Roles,
    [property: Id(4)] string Nonce) : DomainEvent;

/// <summary>An operator said no before the approval.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-cancelled")]
public sealed record DecommissionCancelled(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Campaign) : DomainEvent;

/// <summary>The device's record has the command with this nonce.</summary>
[GenerateSerializer, Immutable, Alias("muster.erasure-ordered")]
public sealed record ErasureOrdered(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Nonce) : DomainEvent;

/// <summary>The device has not proved anything yet; it is looked at again.</summary>
[GenerateSerializer, Immutable, Alias("muster.erasure-awaited")]
public sealed record ErasureAwaited(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Nonce,
    [property: Id(2)] DateTimeOffset NextLookAt) : DomainEvent;

/// <summary>The command expired unanswered; a new one is issued.</summary>
[GenerateSerializer, Immutable, Alias("muster.erasure-reissued")]
public sealed record ErasureReissued(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Nonce,
    [property: Id(2)] int Commands) : DomainEvent;

/// <summary>The erasure cannot go on by itself; people have to look.</summary>
[GenerateSerializer, Immutable, Alias("muster.erasure-stalled")]
public sealed record ErasureStalled(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Reason) : DomainEvent;

/// <summary>Terminal: the device proved its erasure, and the evidence is kept.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-completed")]
public sealed record DecommissionCompleted(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DecommissionCause Cause,
    [property: Id(2)] string Campaign,
    [property: Id(3)] ErasureEvidence Evidence) : DomainEvent;
