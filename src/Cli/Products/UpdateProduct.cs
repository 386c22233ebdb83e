using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

internal static class UpdateProduct
{
    public static Command Create()
    {
        var options = new ProductOptions();
        return options.AddTo(new Command("update", "Replaces a product's dates; one that is left out is no longer announced."))
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.UpdateProductRequest { Product = options.Read(session, parsed) };
                await session.Output.ShowAsync(
                    await ProductColumns.Client(session).UpdateProductAsync(request, cancellationToken: cancellationToken));
            });
    }
}
