using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Serials;

internal static class GetSerial
{
    public static Command Create()
    {
        var serial = SerialColumns.Serial();
        return new Command("get", "One serial: who expects it, and whose it is.") { serial }
            .Calls(async (session, parsed, cancellationToken) =>
                await session.Output.ShowAsync(await SerialColumns.Client(session).GetSerialAsync(
                    new V1.GetSerialRequest { Name = SerialColumns.NameOf(session, parsed, serial) },
                    cancellationToken: cancellationToken)));
    }
}
