using Muster.Domain;
using Muster.Domain.Deliveries;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Deliveries;

/// <summary>A delivery: how its list was taken in last. Key: <c>tenant/delivery</c>.</summary>
[GrainInterfaceType("muster.delivery"), Alias("muster.IDeliveryGrain"), Version(1)]
public interface IDeliveryGrain : IGrainWithStringKey
{
    /// <summary>An import of the list begins; the answer's run is what <see cref="CompleteAsync"/> has to name.</summary>
    [Alias("Begin"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeliveryReply> BeginAsync(Actor actor);

    /// <summary>The list was read to its end. The same run again gives the same answer.</summary>
    [Alias("Complete"), ResponseTimeout(CallTimeouts.Commit)]
    Task<DeliveryReply> CompleteAsync(CompleteDelivery command);

    [Alias("Get"), ReadOnly, ResponseTimeout(CallTimeouts.Commit)]
    Task<DeliveryReply> GetAsync();
}

/// <summary>Says how an import ended.</summary>
/// <param name="Actor">Who imported.</param>
/// <param name="Run">The one that ended.</param>
/// <param name="Counts">What became of the lines.</param>
/// <param name="Errors">The first that were refused, at most <see cref="DeliveryRules.ErrorsMax"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.complete-delivery")]
public sealed record CompleteDelivery(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] int Run,
    [property: Id(2)] DeliveryCounts Counts,
    [property: Id(3)] ImmutableArray<DeliveryLineError> Errors);

/// <summary>The committed delivery, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.delivery-reply")]
public sealed record DeliveryReply([property: Id(0)] Delivery? Delivery, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a delivery's id becomes a grain key.</summary>
public static class DeliveryGrainFactoryExtensions
{
    public static IDeliveryGrain GetDelivery(this IGrainFactory grains, TenantId tenant, ResourceId delivery)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IDeliveryGrain>(DeliveryKey.Of(tenant, delivery));
    }
}

/// <summary>The key of a delivery: <c>tenant/delivery</c>.</summary>
public static class DeliveryKey
{
    public static string Of(TenantId tenant, ResourceId delivery) => $"{tenant}/{delivery}";

    public static (TenantId Tenant, ResourceId Delivery) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TenantId.TryParse(key[..slash], out var tenant) && ResourceId.TryParse(key[(slash + 1)..], out var delivery)
            ? (tenant, delivery)
            : throw new FormatException($"'{key}' is not a key of the form tenant/delivery.");
    }
}
