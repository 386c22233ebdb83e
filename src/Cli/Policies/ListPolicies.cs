using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Policies;

internal static class ListPolicies
{
    public static Command Create() => new Command("list", "Policies by id.").Calls((session, _, cancellationToken) =>
    {
        var client = PolicyColumns.Client(session);
        var policies = Paging.AllAsync<V1.Policy>(
            async (size, token) =>
            {
                var request = new V1.ListPoliciesRequest { Parent = session.Parent, PageSize = size, PageToken = token };
                var page = await client.ListPoliciesAsync(request, cancellationToken: cancellationToken);
                return (page.Policies, page.NextPageToken);
            },
            limit: 0,
            cancellationToken);
        return session.Output.ShowAsync(policies, PolicyColumns.All, cancellationToken);
    });
}
