namespace Muster.Domain.Trust;

/// <summary>The findings of a device are others than before.</summary>
[GenerateSerializer, Immutable, Alias("muster.trust-findings-changed")]
public sealed record TrustFindingsChanged(
    [property: Id(0)] ImmutableArray<TrustFindingKind> Found,
    [property: Id(1)] ImmutableArray<TrustFindingKind> Healed) : DomainEvent;

/// <summary>The device's identity may be used twice.</summary>
[GenerateSerializer, Immutable, Alias("muster.clone-suspected")]
public sealed record CloneSuspected([property: Id(0)] CloneSuspicion Suspicion) : DomainEvent;

/// <summary>An operator says that the device's identity is used twice.</summary>
[GenerateSerializer, Immutable, Alias("muster.clone-confirmed")]
public sealed record CloneConfirmed([property: Id(0)] SuspicionKind Kind, [property: Id(1)] string Cause) : DomainEvent;

/// <summary>An operator says that the suspicion was unfounded.</summary>
[GenerateSerializer, Immutable, Alias("muster.suspicion-dismissed")]
public sealed record SuspicionDismissed([property: Id(0)] SuspicionKind Kind, [property: Id(1)] string Cause) : DomainEvent;

/// <summary>The tenant's rules of continuous trust are others.</summary>
[GenerateSerializer, Immutable, Alias("muster.trust-rules-changed")]
public sealed record TrustRulesChanged([property: Id(0)] TrustRules Rules) : DomainEvent;
