using Grpc.Core;
using Muster.Contracts.Catalogues;
using Muster.Domain;
using Muster.Domain.Catalogues;
using Muster.Domain.Images;
using Muster.Gateway.Grpc;
using Muster.Gateway.Images;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Catalogues;

/// <summary>The tenants' signed catalogues of the API.</summary>
internal sealed class CataloguesService(IGrainFactory grains) : V1.Catalogues.CataloguesBase
{
    public override async Task<V1.Catalogue> GetCatalogue(V1.GetCatalogueRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(request.Name);
        return Answer(tenant, await grains.GetCatalogue(tenant).GetAsync());
    }

    public override async Task<V1.Catalogue> ImportCatalogue(V1.ImportCatalogueRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var command = new ImportCatalogue(Caller.Of(context).Actor, [.. request.Document.Span], [.. request.Signature.Span]);
        return Answer(tenant, await grains.GetCatalogue(tenant).ImportAsync(command));
    }

    public override async Task<V1.Catalogue> UpdateCatalogue(V1.UpdateCatalogueRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(request.Catalogue.Name);
        var command = new RequireCatalogue(Caller.Of(context).Actor, request.Catalogue.Required);
        return Answer(tenant, await grains.GetCatalogue(tenant).RequireAsync(command));
    }

    private static TenantId TenantOf(string name) =>
        CataloguesMapping.TryParseName(name, out var tenant) ? tenant : throw new FormatException(name);

    private static V1.Catalogue Answer(TenantId tenant, CatalogueReply reply) => reply.Error is { } error
        ? throw FleetErrors.ToRpcException(error)
        : CataloguesMapping.ToApi(tenant, reply.State);
}

/// <summary>Catalogues of the API and of the domain.</summary>
internal static class CataloguesMapping
{
    private const string Suffix = "/catalogue";

    public static bool TryParseName(string name, out TenantId tenant)
    {
        tenant = default;
        return name.EndsWith(Suffix, StringComparison.Ordinal) && ResourceNames.TryParseParent(name[..^Suffix.Length], out tenant);
    }

    public static V1.Catalogue ToApi(TenantId tenant, CatalogueState state)
    {
        var api = new V1.Catalogue { Name = ResourceNames.Of(tenant) + Suffix, Required = state.IsRequired };
        if (state.Catalogue is not { } catalogue)
        {
            return api;
        }

        api.Version = catalogue.Version;
        api.IssuedAt = ApiValues.ToTimestamp(catalogue.IssuedAt);
        api.ExpiresAt = ApiValues.ToTimestamp(catalogue.ExpiresAt);
        api.DocumentSha256 = catalogue.DocumentSha256;
        api.Signer = catalogue.Signer.Subject;
        api.SignerSha256 = catalogue.Signer.CertificateSha256;
        api.ImportedBy = catalogue.ImportedBy.Name;
        api.ImportedAt = ApiValues.ToTimestamp(catalogue.ImportedAt);
        api.Releases.AddRange(catalogue.Releases.Select(
            release => ImagesMapping.ToApi(tenant, release.Digest.Value, release.Manifest)));
        return api;
    }
}

/// <summary>What requests of the catalogues service have to look like.</summary>
internal static class CataloguesValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetCatalogueRequest>((request, problems) => CheckName("name", request.Name, problems))
        .Add<V1.UpdateCatalogueRequest>((request, problems) => CheckName("catalogue.name", request.Catalogue?.Name ?? "", problems))
        .Add<V1.ImportCatalogueRequest>((request, problems) =>
        {
            problems.Parent(request.Parent);
            problems.Require(
                request.Document.Length is >= 1 and <= Catalogue.DocumentBytesMax,
                "document",
                $"1 to {Catalogue.DocumentBytesMax} bytes");
            problems.Require(
                request.Signature.Length is >= 1 and <= ImageManifest.SignatureBytesMax,
                "signature",
                $"1 to {ImageManifest.SignatureBytesMax} bytes");
        });

    private static void CheckName(string field, string name, Problems problems)
    {
        if (CataloguesMapping.TryParseName(name, out var tenant))
        {
            problems.Parent(ResourceNames.Of(tenant));
        }
        else
        {
            problems.Add(field, "has the form tenants/{tenant}/catalogue");
        }
    }
}
