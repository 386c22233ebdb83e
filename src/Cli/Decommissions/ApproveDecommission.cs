using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class ApproveDecommission
{
    public static Command Create()
    {
        var device = DecommissionColumns.Device();
        return new Command("approve", "Approves it (role approver, never the requester): the device is told to erase itself.") { device }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await DecommissionColumns.Client(session).ApproveDecommissionAsync(
                    new V1.ApproveDecommissionRequest { Name = DecommissionColumns.NameOf(session, parsed, device) },
                    cancellationToken: cancellationToken)));
    }
}
