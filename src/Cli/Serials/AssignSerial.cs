using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Serials;

internal static class AssignSerial
{
    public static Command Create()
    {
        var serial = SerialColumns.Serial();
        var owner = new Option<string>("--to")
        {
            Description = "The tenant whose device it is; one of those that expect it.",
            HelpName = "TENANT",
            Required = true,
        };
        var cause = new Option<string>("--cause") { Description = "Why, in words.", HelpName = "TEXT", Required = true };
        return new Command("assign", "Says whose a disputed serial is (administrators of the tenant default).") { serial, owner, cause }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.AssignSerialRequest
                {
                    Name = SerialColumns.NameOf(session, parsed, serial),
                    Tenant = parsed.GetRequiredValue(owner),
                    Cause = parsed.GetRequiredValue(cause),
                };
                await session.Output.ShowAsync(
                    await SerialColumns.Client(session).AssignSerialAsync(request, cancellationToken: cancellationToken));
            });
    }
}
