using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Anchors;

internal static class GetAnchor
{
    public static Command Create()
    {
        var anchor = VerbOptions.Name("anchor", "The anchor: its id, or its full name.");
        return new Command("get", "One anchor with its certificates.") { anchor }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.GetAnchorRequest { Name = session.NameOf(AnchorColumns.Collection, parsed.GetRequiredValue(anchor)) };
            await session.Output.ShowAsync(
                await AnchorColumns.Client(session).GetAnchorAsync(request, cancellationToken: cancellationToken));
        });
    }
}
