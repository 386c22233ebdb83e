namespace Muster.Domain.Policies;

/// <summary>A policy was made.</summary>
[GenerateSerializer, Immutable, Alias("muster.policy-created")]
public sealed record PolicyCreated([property: Id(0)] Policy Policy) : DomainEvent;

/// <summary>A policy asks something else from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.policy-updated")]
public sealed record PolicyUpdated([property: Id(0)] Policy Policy) : DomainEvent;

/// <summary>Some partitions' devices were evaluated with the revision.</summary>
[GenerateSerializer, Immutable, Alias("muster.policies-swept")]
public sealed record PoliciesSwept(
    [property: Id(0)] long Revision,
    [property: Id(1)] int PartitionsDone) : DomainEvent;

/// <summary>Every device in service was evaluated with the revision.</summary>
[GenerateSerializer, Immutable, Alias("muster.policies-evaluated")]
public sealed record PoliciesEvaluated([property: Id(0)] long Revision) : DomainEvent;
