using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class RequestDecommission
{
    public static Command Create()
    {
        var device = DecommissionColumns.Device();
        return new Command("request", "Requests the end of a device, with or without a proposal before.") { device }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await DecommissionColumns.Client(session).RequestDecommissionAsync(
                    new V1.RequestDecommissionRequest { Name = DecommissionColumns.NameOf(session, parsed, device) },
                    cancellationToken: cancellationToken)));
    }
}
