using Muster.Domain;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;
using Orleans.CodeGeneration;

namespace Muster.Contracts.Catalogues;

/// <summary>A tenant's signed catalogue of releases. Key: the tenant.</summary>
[GrainInterfaceType("muster.catalogue"), Alias("muster.ICatalogueGrain"), Version(1)]
public interface ICatalogueGrain : IGrainWithStringKey
{
    /// <summary>Verifies the document here and takes it, when it is newer. The same document again changes nothing.</summary>
    [Alias("Import")]
    Task<CatalogueReply> ImportAsync(ImportCatalogue command);

    /// <summary>The catalogue and whether it is required.</summary>
    [Alias("Get")]
    Task<CatalogueReply> GetAsync();

    /// <summary>Whether images have to be in the catalogue to be published.</summary>
    [Alias("Require")]
    Task<CatalogueReply> RequireAsync(RequireCatalogue command);

    /// <summary>What it says of one image.</summary>
    [Alias("Find")]
    Task<CatalogueWord> FindAsync(ImageDigest digest);
}

/// <summary>Imports a catalogue.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Document">The JSON document, byte for byte as it was signed.</param>
/// <param name="Signature">Detached CMS signature over it (RFC 5652, DER).</param>
[GenerateSerializer, Immutable, Alias("muster.import-catalogue")]
public sealed record ImportCatalogue(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<byte> Document,
    [property: Id(2)] ImmutableArray<byte> Signature);

/// <summary>Requires the catalogue for publishing, or does not any more.</summary>
[GenerateSerializer, Immutable, Alias("muster.require-catalogue")]
public sealed record RequireCatalogue([property: Id(0)] Actor Actor, [property: Id(1)] bool IsRequired);

/// <summary>The tenant's catalogue, or why not.</summary>
[GenerateSerializer, Immutable, Alias("muster.catalogue-reply")]
public sealed record CatalogueReply([property: Id(0)] CatalogueState State, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a catalogue's tenant becomes a grain key.</summary>
public static class CatalogueGrainFactoryExtensions
{
    public static ICatalogueGrain GetCatalogue(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<ICatalogueGrain>(tenant.Value);
    }
}
