using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Warranty;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Warranty;

/// <summary>A device's warranty and the review that its end opens. Key: <c>tenant/device</c>.</summary>
[GrainInterfaceType("muster.warranty"), Alias("muster.IWarrantyGrain"), Version(1)]
public interface IWarrantyGrain : IGrainWithStringKey
{
    /// <summary>
    /// The term that a device is created with; asked before the device is created, and once more after it. Changes nothing when an
    /// operator set the term, or when the device comes from another creation; the same request id with another term is refused.
    /// </summary>
    [Alias("Expect")]
    Task<WarrantyReply> ExpectAsync(ExpectWarranty command);

    /// <summary>Sets start and term of a known device. The same term again changes nothing.</summary>
    [Alias("Set")]
    Task<WarrantyReply> SetAsync(SetWarranty command);

    /// <summary>The warranty with its status on a day, today when null. A known device without one has a term of 0 months.</summary>
    [Alias("Get")]
    Task<WarrantyReply> GetAsync(DateOnly? day);

    /// <summary>Closes an open review: the device is kept, or its decommissioning is proposed.</summary>
    [Alias("CloseReview")]
    Task<WarrantyReply> CloseReviewAsync(CloseWarrantyReview command);
}

/// <summary>The warranty that comes with a device's creation.</summary>
/// <param name="Actor">Who creates the device.</param>
/// <param name="RequestId">The creation's request id (AIP-155).</param>
/// <param name="Term">0 months for none.</param>
[GenerateSerializer, Immutable, Alias("muster.expect-warranty")]
public sealed record ExpectWarranty(
    [property: Id(0)] Actor Actor, [property: Id(1)] string RequestId, [property: Id(2)] WarrantyTerm Term);

/// <summary>Sets a device's warranty.</summary>
[GenerateSerializer, Immutable, Alias("muster.set-warranty")]
public sealed record SetWarranty([property: Id(0)] Actor Actor, [property: Id(1)] WarrantyTerm Term);

/// <summary>Decides a review.</summary>
/// <param name="Actor">Who decides.</param>
/// <param name="ProposeDecommission">True proposes decommissioning, false keeps the device.</param>
[GenerateSerializer, Immutable, Alias("muster.close-warranty-review")]
public sealed record CloseWarrantyReview([property: Id(0)] Actor Actor, [property: Id(1)] bool ProposeDecommission);

/// <summary>The warranty on a day, or why not.</summary>
/// <param name="Cover">As committed; null with an error.</param>
/// <param name="Status">On the day asked for; Unspecified without a warranty.</param>
/// <param name="LastDay">The last day covered; null without a warranty.</param>
/// <param name="Error">Why not.</param>
[GenerateSerializer, Immutable, Alias("muster.warranty-reply")]
public sealed record WarrantyReply(
    [property: Id(0)] WarrantyCover? Cover,
    [property: Id(1)] WarrantyStatus Status,
    [property: Id(2)] DateOnly? LastDay,
    [property: Id(3)] FleetError? Error);

/// <summary>The only place where a device's id becomes a warranty's key.</summary>
public static class WarrantyGrainFactoryExtensions
{
    public static IWarrantyGrain GetWarranty(this IGrainFactory grains, TenantId tenant, DeviceId device)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IWarrantyGrain>(Devices.DeviceKey.Of(tenant, device));
    }
}
