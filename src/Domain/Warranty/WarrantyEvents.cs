using Muster.Domain.Devices;

namespace Muster.Domain.Warranty;

/// <summary>A device's warranty was set or changed.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-set")]
public sealed record WarrantySet(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] WarrantyTerm Term,
    [property: Id(2)] DateOnly? LastDay) : DomainEvent;

/// <summary>The last day of a warranty is over; told once per last day.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-ended")]
public sealed record WarrantyEnded(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DateOnly LastDay) : DomainEvent;

/// <summary>An operator has to decide what becomes of a device without a warranty.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-review-opened")]
public sealed record WarrantyReviewOpened(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DateOnly LastDay) : DomainEvent;

/// <summary>A review was closed: kept, or decommissioning proposed.</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-review-closed")]
public sealed record WarrantyReviewClosed(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] WarrantyReviewState Review) : DomainEvent;

/// <summary>The decommissioning took the review's proposal, or said why not (reason; empty when taken).</summary>
[GenerateSerializer, Immutable, Alias("muster.warranty-proposal-handed-on")]
public sealed record WarrantyProposalHandedOn(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] string Campaign,
    [property: Id(2)] string Reason) : DomainEvent;
