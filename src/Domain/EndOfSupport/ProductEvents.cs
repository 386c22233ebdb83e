namespace Muster.Domain.EndOfSupport;

/// <summary>A product was created or its dates changed.</summary>
[GenerateSerializer, Immutable, Alias("muster.product-set")]
public sealed record ProductSet(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] ProductSpec Spec) : DomainEvent;

/// <summary>The support status changed because a date passed or was moved.</summary>
[GenerateSerializer, Immutable, Alias("muster.support-status-changed")]
public sealed record SupportStatusChanged(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] SupportStatus Status,
    [property: Id(2)] DateTimeOffset? EndsAt) : DomainEvent;

/// <summary>A product's support has ended, and its campaign is open.</summary>
[GenerateSerializer, Immutable, Alias("muster.support-ended")]
public sealed record SupportEnded(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] DateTimeOffset EndsAt,
    [property: Id(2)] string Campaign) : DomainEvent;

/// <summary>The end was moved: the campaign of the earlier date is closed.</summary>
[GenerateSerializer, Immutable, Alias("muster.support-end-withdrawn")]
public sealed record SupportEndWithdrawn(
    [property: Id(0)] ProductId Product,
    [property: Id(1)] string Campaign) : DomainEvent;
