using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class ListRollouts
{
    public static Command Create() => ListVerb.Create<V1.Rollout>(
        "Rollouts by id.",
        "name, state",
        RolloutColumns.All,
        async page =>
        {
            var request = new V1.ListRolloutsRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await RolloutColumns.Client(page.Session).ListRolloutsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Rollouts, answer.NextPageToken);
        });
}
