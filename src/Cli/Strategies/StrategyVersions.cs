using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

internal static class StrategyVersions
{
    public static Command Create()
    {
        var strategy = StrategyColumns.Strategy();
        return new Command("versions", "The versions of a strategy that are kept, newest first.") { strategy }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.ListStrategyVersionsRequest
                {
                    Name = session.NameOf(StrategyColumns.Collection, parsed.GetRequiredValue(strategy)),
                };
                var answer = await StrategyColumns.Client(session).ListStrategyVersionsAsync(request, cancellationToken: cancellationToken);
                await session.Output.ShowAsync(answer.Strategies.ToAsyncEnumerable(), StrategyColumns.All, cancellationToken);
            });
    }
}
