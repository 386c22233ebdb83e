using Muster.Domain;
using Muster.Domain.EndOfSupport;
using Orleans.CodeGeneration;

namespace Muster.Contracts.EndOfSupport;

/// <summary>
/// The campaign that a product's end of support opens: partition by partition it proposes the decommissioning of the
/// product's devices, and every day again for those that joined. Called by the product grain. Key: <c>tenant/model</c>.
/// </summary>
[GrainInterfaceType("muster.end-of-support"), Alias("muster.IEndOfSupportGrain"), Version(1)]
public interface IEndOfSupportGrain : IGrainWithStringKey
{
    /// <summary>Opens the campaign unless it is open; one of another date is closed in the same step.</summary>
    [Alias("Open")]
    Task OpenAsync(OpenCampaign command);

    /// <summary>Closes what is open. Proposals already made stay.</summary>
    [Alias("Close")]
    Task CloseAsync(Actor actor);

    /// <summary>The campaign, open or closed; null before the first.</summary>
    [Alias("Get")]
    Task<SupportCampaign?> GetAsync();
}

/// <summary>Opens a campaign.</summary>
/// <param name="Actor">The rule that opens it.</param>
/// <param name="Campaign">Its name (<see cref="Product.CampaignOf"/>).</param>
/// <param name="EndsAt">The end of support.</param>
[GenerateSerializer, Immutable, Alias("muster.open-campaign")]
public sealed record OpenCampaign(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string Campaign,
    [property: Id(2)] DateTimeOffset EndsAt);

/// <summary>The only place where a product's id becomes a grain key.</summary>
public static class EndOfSupportGrainFactoryExtensions
{
    public static IProductGrain GetProduct(this IGrainFactory grains, TenantId tenant, ProductId product)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IProductGrain>(ProductKey.Of(tenant, product));
    }

    public static IEndOfSupportGrain GetEndOfSupport(this IGrainFactory grains, TenantId tenant, ProductId product)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IEndOfSupportGrain>(ProductKey.Of(tenant, product));
    }
}

/// <summary>The key of everything that is keyed by a product: <c>tenant/model</c>.</summary>
public static class ProductKey
{
    public static string Of(TenantId tenant, ProductId product) => $"{tenant}/{product}";

    public static (TenantId Tenant, ProductId Product) Parse(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && TenantId.TryParse(key[..slash], out var tenant) && ProductId.TryParse(key[(slash + 1)..], out var product)
            ? (tenant, product)
            : throw new FormatException($"'{key}' is not a key of the form tenant/model.");
    }
}
