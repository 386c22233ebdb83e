namespace Muster.Domain.Operators;

/// <summary>An operator was added, and its certificate signed.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-added")]
public sealed record OperatorAdded(
    [property: Id(0)] ResourceId Operator,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles,
    [property: Id(2)] string CertificateSha256) : DomainEvent;

/// <summary>An operator may not call any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-disabled")]
public sealed record OperatorDisabled([property: Id(0)] ResourceId Operator) : DomainEvent;
