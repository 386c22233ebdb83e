using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Deliveries;

internal static class GetDelivery
{
    public static Command Create()
    {
        var delivery = VerbOptions.Name("delivery", "The delivery: its name, or the full name.");
        return new Command("get", "One delivery with the first lines that were refused.") { delivery }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var name = session.NameOf(DeliveryColumns.Collection, parsed.GetRequiredValue(delivery));
                var request = new V1.GetDeliveryRequest { Name = name };
                await session.Output.ShowAsync(
                    await DeliveryColumns.Client(session).GetDeliveryAsync(request, cancellationToken: cancellationToken));
            });
    }
}
