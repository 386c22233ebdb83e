using Muster.Domain;
using Muster.Domain.Policies;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Policies;

/// <summary>
/// All policies of a tenant under one revision. A change is committed before it is answered; then every device is evaluated with
/// it, partition by partition, also across a crash. Key: the tenant.
/// </summary>
[GrainInterfaceType("muster.policy-set"), Alias("muster.IPolicySetGrain"), Version(1)]
public interface IPolicySetGrain : IGrainWithStringKey
{
    /// <summary>Makes a policy. The same request id again gives the same answer.</summary>
    [Alias("Create")]
    Task<PolicyReply> CreateAsync(CreatePolicy command);

    /// <summary>Replaces what a policy asks. The same spec again changes nothing.</summary>
    [Alias("Update")]
    Task<PolicyReply> UpdateAsync(UpdatePolicy command);

    /// <summary>
    /// The committed set. Interleaves: a device that is evaluated by this grain's own sweep asks for it, and only what is committed
    /// is ever answered.
    /// </summary>
    [Alias("Get"), AlwaysInterleave]
    Task<PolicySet> GetAsync();
}

/// <summary>Makes a policy.</summary>
[GenerateSerializer, Immutable, Alias("muster.create-policy")]
public sealed record CreatePolicy(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] PolicySpec Spec);

/// <summary>Replaces what a policy asks.</summary>
[GenerateSerializer, Immutable, Alias("muster.update-policy")]
public sealed record UpdatePolicy([property: Id(0)] Actor Actor, [property: Id(1)] PolicySpec Spec);

/// <summary>The committed policy, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.policy-reply")]
public sealed record PolicyReply([property: Id(0)] Policy? Policy, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a tenant becomes the key of its policies.</summary>
public static class PolicySetGrainFactoryExtensions
{
    public static IPolicySetGrain GetPolicySet(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IPolicySetGrain>(tenant.Value);
    }
}
