using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class ListDecommissions
{
    public static Command Create() => ListVerb.Create<V1.Decommission>(
        "Decommissions by device.",
        "name, state, cause, campaign",
        DecommissionColumns.All,
        async page =>
        {
            var request = new V1.ListDecommissionsRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await DecommissionColumns.Client(page.Session)
                .ListDecommissionsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Decommissions, answer.NextPageToken);
        });
}
