using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Deliveries;

internal static class ListDeliveries
{
    public static Command Create() => ListVerb.Create<V1.Delivery>(
        "Deliveries by name.",
        null,
        DeliveryColumns.All,
        async page =>
        {
            var request = new V1.ListDeliveriesRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await DeliveryColumns.Client(page.Session)
                .ListDeliveriesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Deliveries, answer.NextPageToken);
        });
}
