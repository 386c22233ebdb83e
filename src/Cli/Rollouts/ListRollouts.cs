using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class ListRollouts
{
    public static Command Create()
    {
        var filter = CommonOptions.Filter("name, state");
        var limit = CommonOptions.Limit();
        return new Command("list", "Rollouts by id.") { filter, limit }.Calls((session, parsed, cancellationToken) =>
        {
            var client = RolloutColumns.Client(session);
            var rollouts = Paging.AllAsync<V1.Rollout>(
                async (size, token) =>
                {
                    var request = new V1.ListRolloutsRequest
                    {
                        Parent = session.Parent,
                        Filter = parsed.GetRequiredValue(filter),
                        PageSize = size,
                        PageToken = token,
                    };
                    var page = await client.ListRolloutsAsync(request, cancellationToken: cancellationToken);
                    return (page.Rollouts, page.NextPageToken);
                },
                parsed.GetValue(limit),
                cancellationToken);
            return session.Output.ShowAsync(rollouts, RolloutColumns.All, cancellationToken);
        });
    }
}
