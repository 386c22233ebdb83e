using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.EndOfSupport;
using Muster.Domain;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Inventory;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.EndOfSupport;

/// <summary>The products of the API.</summary>
internal sealed class ProductsService(IGrainFactory grains, RowLister lister, TimeProvider clock) : V1.Products.ProductsBase
{
    public override async Task<V1.Product> GetProduct(V1.GetProductRequest request, ServerCallContext context)
    {
        var (tenant, product) = ResourceNames.ProductOf(request.Name);
        return await AnswerAsync(await grains.GetProduct(tenant, product).GetAsync());
    }

    public override async Task<V1.ListProductsResponse> ListProducts(V1.ListProductsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Product, "");
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListProductsResponse { NextPageToken = page.NextPageToken };
        var now = clock.GetUtcNow();
        response.Products.AddRange(page.Rows.Select(row => ProductsMapping.ToApi((ProductRow)row.Row, now)));
        return response;
    }

    public override async Task<V1.Product> CreateProduct(V1.CreateProductRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ProductId.TryParse(request.ProductId, out var parsed) ? parsed : throw new FormatException(request.ProductId);
        var command = new CreateProduct(Caller.Of(context).Actor, request.RequestId, ProductsMapping.ToSpec(request.Product));
        return await AnswerAsync(await grains.GetProduct(tenant, id).CreateAsync(command));
    }

    public override async Task<V1.Product> UpdateProduct(V1.UpdateProductRequest request, ServerCallContext context)
    {
        var (tenant, product) = ResourceNames.ProductOf(request.Product.Name);
        var command = new UpdateProduct(Caller.Of(context).Actor, ProductsMapping.ToSpec(request.Product));
        return await AnswerAsync(await grains.GetProduct(tenant, product).UpdateAsync(command));
    }

    private async Task<V1.Product> AnswerAsync(ProductReply reply)
    {
        if (reply.Product is not { } product || reply.Error is not null)
        {
            throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException("Neither a product nor an error."));
        }

        var campaign = await grains.GetEndOfSupport(product.Tenant, product.Id).GetAsync();
        return ProductsMapping.ToApi(product, reply.Status, campaign);
    }
}

/// <summary>Products of the API and of the domain.</summary>
internal static class ProductsMapping
{
    public const string Collection = "products";

    public static ProductSpec ToSpec(V1.Product product) => new(
        new SupportWindow(
            product.DiscontinuedAt?.ToDateTimeOffset(),
            product.OsSupportEndsAt?.ToDateTimeOffset(),
            product.HardwareSupportEndsAt?.ToDateTimeOffset()),
        product.Replacement);

    public static V1.Product ToApi(Product product, SupportStatus status, SupportCampaign? campaign)
    {
        var api = ToApi(product.Tenant, product.Id.Value, product.Spec, status);
        api.Campaign = product.OpenCampaign;
        if (campaign is not null && campaign.Id == product.OpenCampaign)
        {
            api.Proposed = campaign.Proposed;
            api.CampaignComplete = campaign.Sweeps > 0;
        }

        return api;
    }

    /// <summary>What a list knows of a product.</summary>
    public static V1.Product ToApi(ProductRow row, DateTimeOffset now)
    {
        var api = ToApi(row.Tenant, row.Name, row.Spec, SupportEvaluator.StatusAt(row.Spec.Window, now));
        api.Campaign = row.Campaign;
        return api;
    }

    private static V1.Product ToApi(TenantId tenant, string id, ProductSpec spec, SupportStatus status) => new()
    {
        Name = ResourceNames.Of(tenant, Collection, id),
        DiscontinuedAt = ApiValues.ToTimestamp(spec.Window.DiscontinuedAt),
        OsSupportEndsAt = ApiValues.ToTimestamp(spec.Window.OsSupportEndsAt),
        HardwareSupportEndsAt = ApiValues.ToTimestamp(spec.Window.HardwareSupportEndsAt),
        Replacement = spec.Replacement,
        SupportStatus = (V1.SupportStatus)status,
    };
}

/// <summary>What requests of the products service have to look like.</summary>
internal static class ProductsValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetProductRequest>((request, problems) => problems.ProductName("name", request.Name))
        .Add<V1.ListProductsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.CreateProductRequest>((request, problems) =>
        {
            problems.Parent(request.Parent);
            problems.RequestId(request.RequestId);
            problems.Require(
                ProductId.TryParse(request.ProductId, out _),
                "product_id",
                "1 to 64 letters, digits, '.', '_', '+' and '-'; the model's name");
            CheckProduct(request.Product, problems);
        })
        .Add<V1.UpdateProductRequest>((request, problems) =>
        {
            problems.ProductName("product.name", request.Product?.Name ?? "");
            CheckProduct(request.Product, problems);
        });

    private static void CheckProduct(V1.Product? product, Problems problems)
    {
        if (product is null)
        {
            problems.Add("product", "is required");
            return;
        }

        problems.Length("product.replacement", product.Replacement, 0, ProductSpec.ReplacementLengthMax);
        CheckInstant("product.discontinued_at", product.DiscontinuedAt, problems);
        CheckInstant("product.os_support_ends_at", product.OsSupportEndsAt, problems);
        CheckInstant("product.hardware_support_ends_at", product.HardwareSupportEndsAt, problems);
    }

    private static void CheckInstant(string field, Timestamp? value, Problems problems)
    {
        // The range of google.protobuf.Timestamp: years 1 to 9999.
        const long SecondsMin = -62_135_596_800;
        const long SecondsMax = 253_402_300_799;
        const int NanosMax = 999_999_999;
        problems.Require(
            value is null || (value.Seconds is >= SecondsMin and <= SecondsMax && value.Nanos is >= 0 and <= NanosMax),
            field,
            "an instant of the years 1 to 9999");
    }
}
