using Muster.Domain;
using Muster.Domain.Decommissioning;
using Muster.Domain.Devices;
using Muster.Domain.Operators;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Decommissioning;

/// <summary>The end of one device: proposal, request, approval, erasure, evidence. Key: <c>tenant/device</c>.</summary>
[GrainInterfaceType("muster.decommission"), Alias("muster.IDecommissionGrain"), Version(1)]
public interface IDecommissionGrain : IGrainWithStringKey
{
    /// <summary>A rule proposes; idempotent by (device, campaign). Answers with what is under way.</summary>
    [Alias("Propose")]
    Task<DecommissionReply> ProposeAsync(ProposeDecommission command);

    /// <summary>An operator requests it, with or without a proposal before.</summary>
    [Alias("Request")]
    Task<DecommissionReply> RequestAsync(RequestDecommission command);

    /// <summary>Another operator approves it; the device is told to erase itself.</summary>
    [Alias("Approve")]
    Task<DecommissionReply> ApproveAsync(ApproveDecommission command);

    /// <summary>Closes what is not approved yet.</summary>
    [Alias("Cancel")]
    Task<DecommissionReply> CancelAsync(CancelDecommission command);

    [Alias("Get")]
    Task<DecommissionReply> GetAsync();
}

/// <summary>A rule proposes the end of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.propose-decommission")]
public sealed record ProposeDecommission([property: Id(0)] Actor Actor, [property: Id(1)] Proposal Proposal);

/// <summary>An operator requests the end of a device.</summary>
[GenerateSerializer, Immutable, Alias("muster.request-decommission")]
public sealed record RequestDecommission([property: Id(0)] Actor Actor);

/// <summary>An operator approves the end of a device.</summary>
/// <param name="Actor">Who approves.</param>
/// <param name="Roles">His roles, read by the edge from the operator grain when it authenticated this call.</param>
[GenerateSerializer, Immutable, Alias("muster.approve-decommission")]
public sealed record ApproveDecommission(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<OperatorRole> Roles);

/// <summary>An operator cancels what is not approved yet.</summary>
[GenerateSerializer, Immutable, Alias("muster.cancel-decommission")]
public sealed record CancelDecommission([property: Id(0)] Actor Actor);

/// <summary>The committed decommission, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.decommission-reply")]
public sealed record DecommissionReply([property: Id(0)] Decommission? Decommission, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a device's id becomes a decommission's key.</summary>
public static class DecommissionGrainFactoryExtensions
{
    public static IDecommissionGrain GetDecommission(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDecommissionGrain>(Devices.DeviceKey.Of(tenant, device));
    }
}
