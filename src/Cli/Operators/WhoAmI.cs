using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Operators;

internal static class WhoAmI
{
    public static Command Create() => new Command("whoami", "Who you are to the server, and your roles.")
        .Calls(async (session, _, cancellationToken) =>
            await session.Output.ShowAsync(
                await OperatorColumns.Client(session).WhoAmIAsync(new V1.WhoAmIRequest(), cancellationToken: cancellationToken)));
}
