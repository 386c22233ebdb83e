using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Policies;

internal static class ListPolicies
{
    public static Command Create() => ListVerb.Create<V1.Policy>(
        "Policies by id.",
        null,
        PolicyColumns.All,
        async page =>
        {
            var request = new V1.ListPoliciesRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await PolicyColumns.Client(page.Session).ListPoliciesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Policies, answer.NextPageToken);
        });
}
