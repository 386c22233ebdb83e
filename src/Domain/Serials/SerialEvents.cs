namespace Muster.Domain.Serials;

// A serial that nobody disputes leaves no fact: the device's own commit, which follows, is the fact.

/// <summary>A tenant expects a serial that another one expects too.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-disputed")]
public sealed record SerialDisputed([property: Id(0)] TenantId Tenant) : DomainEvent;

/// <summary>A tenant expects a serial no longer that had been disputed.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-withdrawn")]
public sealed record SerialWithdrawn([property: Id(0)] TenantId Tenant) : DomainEvent;

/// <summary>A human said whose a disputed serial is.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-assigned")]
public sealed record SerialAssigned([property: Id(0)] SerialAssignment Assignment) : DomainEvent;

/// <summary>A device of the tenant proved possession of a serial that had been disputed.</summary>
[GenerateSerializer, Immutable, Alias("muster.serial-proved")]
public sealed record SerialProved([property: Id(0)] TenantId Tenant) : DomainEvent;
