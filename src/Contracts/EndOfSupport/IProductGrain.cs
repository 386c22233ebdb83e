using Muster.Domain;
using Muster.Domain.EndOfSupport;
using Orleans.CodeGeneration;

namespace Muster.Contracts.EndOfSupport;

/// <summary>A product with its lifecycle dates. Key: <c>tenant/model</c>.</summary>
[GrainInterfaceType("muster.product"), Alias("muster.IProductGrain"), Version(1)]
public interface IProductGrain : IGrainWithStringKey
{
    /// <summary>Creates the product. The same request id again gives the same answer.</summary>
    [Alias("Create")]
    Task<ProductReply> CreateAsync(CreateProduct command);

    /// <summary>The product with its support status now.</summary>
    [Alias("Get")]
    Task<ProductReply> GetAsync();

    /// <summary>Changes dates and replacement. A date moved ahead closes the campaign that the earlier one opened.</summary>
    [Alias("Update")]
    Task<ProductReply> UpdateAsync(UpdateProduct command);
}

/// <summary>Creates a product.</summary>
/// <param name="Actor">Who orders it.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155); may be empty.</param>
/// <param name="Spec">Dates and replacement.</param>
[GenerateSerializer, Immutable, Alias("muster.create-product")]
public sealed record CreateProduct(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ProductSpec Spec);

/// <summary>Changes a product.</summary>
[GenerateSerializer, Immutable, Alias("muster.update-product")]
public sealed record UpdateProduct([property: Id(0)] Actor Actor, [property: Id(1)] ProductSpec Spec);

/// <summary>The committed product with its status at the time of the call, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.product-reply")]
public sealed record ProductReply(
    [property: Id(0)] Product? Product,
    [property: Id(1)] SupportStatus Status,
    [property: Id(2)] FleetError? Error);
