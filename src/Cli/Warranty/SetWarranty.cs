using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

internal static class SetWarranty
{
    public static Command Create()
    {
        var device = WarrantyColumns.Device();
        var starts = new Option<string>("--starts") { Description = "The first day covered.", HelpName = "YYYY-MM-DD", Required = true };
        var months = new Option<int>("--months") { Description = "The term, 0 to 240 months.", HelpName = "N", Required = true };
        return new Command("set", "Sets the first day and the term of a device's warranty.") { device, starts, months }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await WarrantyColumns.Client(session).UpdateWarrantyAsync(
                    new V1.UpdateWarrantyRequest
                    {
                        Warranty = new V1.Warranty
                        {
                            Name = WarrantyColumns.NameOf(session, parsed, device),
                            StartsOn = parsed.GetRequiredValue(starts),
                            TermMonths = parsed.GetValue(months),
                        },
                    },
                    cancellationToken: cancellationToken)));
    }
}
