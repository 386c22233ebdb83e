using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

internal static class GetStrategy
{
    public static Command Create()
    {
        var strategy = VerbOptions.Name("strategy", "The strategy: its id, or its full name; with @3 behind it its version 3.");
        return new Command("get", "One strategy with all that it says.") { strategy }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.GetStrategyRequest
                {
                    Name = session.NameOf(StrategyColumns.Collection, parsed.GetRequiredValue(strategy)),
                };
                await session.Output.ShowAsync(
                    await StrategyColumns.Client(session).GetStrategyAsync(request, cancellationToken: cancellationToken));
            });
    }
}
