using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

internal static class ListProducts
{
    public static Command Create() => new Command("list", "Products by model.").Calls((session, _, cancellationToken) =>
    {
        var client = ProductColumns.Client(session);
        var products = Paging.AllAsync<V1.Product>(
            async (size, token) =>
            {
                var request = new V1.ListProductsRequest { Parent = session.Parent, PageSize = size, PageToken = token };
                var page = await client.ListProductsAsync(request, cancellationToken: cancellationToken);
                return (page.Products, page.NextPageToken);
            },
            limit: 0,
            cancellationToken);
        return session.Output.ShowAsync(products, ProductColumns.All, cancellationToken);
    });
}
