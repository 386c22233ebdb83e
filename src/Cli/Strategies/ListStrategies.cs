using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

internal static class ListStrategies
{
    public static Command Create() => ListVerb.Create<V1.Strategy>(
        "Strategies by id, each in its newest version.",
        null,
        StrategyColumns.All,
        async page =>
        {
            var request = new V1.ListStrategiesRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await StrategyColumns.Client(page.Session).ListStrategiesAsync(
                request, cancellationToken: page.CancellationToken);
            return (answer.Strategies, answer.NextPageToken);
        });
}
