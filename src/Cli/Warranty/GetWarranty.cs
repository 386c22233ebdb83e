using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

internal static class GetWarranty
{
    public static Command Create()
    {
        var device = WarrantyColumns.Device();
        var on = new Option<string>("--on")
        {
            Description = "The day to tell the status of; default today.",
            HelpName = "YYYY-MM-DD",
            DefaultValueFactory = _ => "",
        };
        return new Command("get", "The warranty of a device with its status on a day.") { device, on }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await WarrantyColumns.Client(session).GetWarrantyAsync(
                    new V1.GetWarrantyRequest
                    {
                        Name = WarrantyColumns.NameOf(session, parsed, device),
                        OnDate = parsed.GetRequiredValue(on),
                    },
                    cancellationToken: cancellationToken)));
    }
}
