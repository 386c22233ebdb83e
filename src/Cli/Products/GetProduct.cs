using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

internal static class GetProduct
{
    public static Command Create()
    {
        var product = VerbOptions.Name("model", "The product: the model's name, or the full name.");
        return new Command("get", "One product with its support status and campaign.") { product }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var name = session.NameOf(ProductColumns.Collection, parsed.GetRequiredValue(product));
                var request = new V1.GetProductRequest { Name = name };
                await session.Output.ShowAsync(
                    await ProductColumns.Client(session).GetProductAsync(request, cancellationToken: cancellationToken));
            });
    }
}
