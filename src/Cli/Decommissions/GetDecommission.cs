using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class GetDecommission
{
    public static Command Create()
    {
        var device = DecommissionColumns.Device();
        return new Command("get", "One decommission with its evidence.") { device }.Calls(async (session, parsed, cancellationToken) =>
            await session.Output.ShowAsync(await DecommissionColumns.Client(session).GetDecommissionAsync(
                new V1.GetDecommissionRequest { Name = DecommissionColumns.NameOf(session, parsed, device) },
                cancellationToken: cancellationToken)));
    }
}
