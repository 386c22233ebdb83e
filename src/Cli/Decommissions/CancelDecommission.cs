using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class CancelDecommission
{
    public static Command Create()
    {
        var device = DecommissionColumns.Device();
        return new Command("cancel", "Closes a proposal or request that is not approved yet.") { device }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await DecommissionColumns.Client(session).CancelDecommissionAsync(
                    new V1.CancelDecommissionRequest { Name = DecommissionColumns.NameOf(session, parsed, device) },
                    cancellationToken: cancellationToken)));
    }
}
