using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

internal static class CloseWarrantyReview
{
    public static Command Create()
    {
        var device = WarrantyColumns.Device();
        var keep = new Option<bool>("--keep") { Description = "Keep the device without a warranty." };
        var propose = new Option<bool>("--propose-decommission") { Description = "Propose its decommissioning." };
        return new Command("close-review", "Closes the review that the end of a warranty opened.") { device, keep, propose }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                if (parsed.GetValue(keep) == parsed.GetValue(propose))
                {
                    throw new UsageException("Say either --keep or --propose-decommission.");
                }

                await session.Output.ShowAsync(await WarrantyColumns.Client(session).CloseWarrantyReviewAsync(
                    new V1.CloseWarrantyReviewRequest
                    {
                        Name = WarrantyColumns.NameOf(session, parsed, device),
                        ProposeDecommission = parsed.GetValue(propose),
                    },
                    cancellationToken: cancellationToken));
            });
    }
}
