using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

internal static class DeleteStrategy
{
    public static Command Create()
    {
        var strategy = StrategyColumns.Strategy();
        var etag = StrategyColumns.Etag();
        return new Command("delete", "Deletes a strategy that no site needs; rollouts that were made from it stay as they are.")
        {
            strategy, etag,
        }
        .Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.DeleteStrategyRequest
            {
                Name = session.NameOf(StrategyColumns.Collection, parsed.GetRequiredValue(strategy)),
                Etag = parsed.GetRequiredValue(etag),
            };
            await StrategyColumns.Client(session).DeleteStrategyAsync(request, cancellationToken: cancellationToken);
        });
    }
}
