using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Products;

internal static class CreateProduct
{
    public static Command Create()
    {
        var options = new ProductOptions();
        var requestId = VerbOptions.RequestId();
        return options.AddTo(new Command("create", "Creates a product.") { requestId }).Calls(async (session, parsed, cancellationToken) =>
        {
            var product = options.Read(session, parsed);
            var request = new V1.CreateProductRequest
            {
                Parent = session.Parent,
                ProductId = Values.Short(product.Name),
                Product = product,
                RequestId = parsed.RequestIdOf(requestId),
            };
            await session.Output.ShowAsync(
                await ProductColumns.Client(session).CreateProductAsync(request, cancellationToken: cancellationToken));
        });
    }
}
