using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

internal static class ListProducts
{
    public static Command Create() => ListVerb.Create<V1.Product>(
        "Products by model.",
        null,
        ProductColumns.All,
        async page =>
        {
            var request = new V1.ListProductsRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await ProductColumns.Client(page.Session).ListProductsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Products, answer.NextPageToken);
        });
}
