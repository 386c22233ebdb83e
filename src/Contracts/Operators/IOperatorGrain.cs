using Muster.Domain;
using Muster.Domain.Operators;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Operators;

/// <summary>One operator: certificate and roles. Key: <c>tenant/operator</c>.</summary>
[GrainInterfaceType("muster.operator"), Alias("muster.IOperatorGrain"), Version(1)]
public interface IOperatorGrain : IGrainWithStringKey
{
    /// <summary>Signs the request and adds the operator. The same request again gives the same certificate.</summary>
    [Alias("Add")]
    Task<OperatorReply> AddAsync(AddOperator command);

    /// <summary>
    /// Adds the first administrator, at the first start of the host and by it alone: the edge does not offer it. Refused once
    /// an operator of this name exists; the same signing request again gives the same certificate, so that a start that was
    /// killed half-way can be repeated.
    /// </summary>
    [Alias("Bootstrap")]
    Task<OperatorReply> BootstrapAsync(BootstrapAdministrator command);

    [Alias("Get"), ReadOnly]
    Task<OperatorReply> GetAsync();

    /// <summary>
    /// May the holder of this certificate (64 lower-case hex digits) call now? Answers with the account and its roles. Asked
    /// on every call of the edge.
    /// </summary>
    [Alias("Authenticate"), ReadOnly]
    Task<OperatorReply> AuthenticateAsync(string certificateSha256);

    /// <summary>Nobody's certificate of this operator is accepted any more.</summary>
    [Alias("Disable")]
    Task<OperatorReply> DisableAsync(DisableOperator command);
}

/// <summary>Adds an operator.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
/// <param name="Roles">At least one.</param>
/// <param name="SigningRequest">PKCS#10 (RFC 2986), PEM, made by the operator's own program.</param>
[GenerateSerializer, Immutable, Alias("muster.add-operator")]
public sealed record AddOperator(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ImmutableArray<OperatorRole> Roles,
    [property: Id(3)] string SigningRequest);

/// <summary>Adds the first administrator.</summary>
/// <param name="SigningRequest">PKCS#10 (RFC 2986), PEM.</param>
[GenerateSerializer, Immutable, Alias("muster.bootstrap-administrator")]
public sealed record BootstrapAdministrator([property: Id(0)] string SigningRequest);

/// <summary>Disables an operator.</summary>
[GenerateSerializer, Immutable, Alias("muster.disable-operator")]
public sealed record DisableOperator([property: Id(0)] Actor Actor);

/// <summary>The committed operator, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.operator-reply")]
public sealed record OperatorReply([property: Id(0)] OperatorAccount? Account, [property: Id(1)] FleetError? Error);

/// <summary>The only place where an operator's id becomes a grain key.</summary>
public static class OperatorGrainFactoryExtensions
{
    public static IOperatorGrain GetOperator(this IGrainFactory grains, TenantId tenant, ResourceId operatorId)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IOperatorGrain>(OperatorKey.Of(tenant, operatorId));
    }
}

/// <summary>The key of an operator: <c>tenant/operator</c>.</summary>
public static class OperatorKey
{
    public static string Of(TenantId tenant, ResourceId operatorId) => $"{tenant}/{operatorId}";

    public static (TenantId Tenant, ResourceId Operator) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TenantId.TryParse(key[..slash], out var tenant) && ResourceId.TryParse(key[(slash + 1)..], out var operatorId)
            ? (tenant, operatorId)
            : throw new FormatException($"'{key}' is not a key of the form tenant/operator.");
    }
}
