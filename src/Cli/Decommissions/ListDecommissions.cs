using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

internal static class ListDecommissions
{
    public static Command Create()
    {
        var filter = CommonOptions.Filter("name, state, cause, campaign");
        var limit = CommonOptions.Limit();
        return new Command("list", "Decommissions by device.") { filter, limit }.Calls((session, parsed, cancellationToken) =>
        {
            var client = DecommissionColumns.Client(session);
            var decommissions = Paging.AllAsync<V1.Decommission>(
                async (size, token) =>
                {
                    var request = new V1.ListDecommissionsRequest
                    {
                        Parent = session.Parent,
                        Filter = parsed.GetRequiredValue(filter),
                        PageSize = size,
                        PageToken = token,
                    };
                    var page = await client.ListDecommissionsAsync(request, cancellationToken: cancellationToken);
                    return (page.Decommissions, page.NextPageToken);
                },
                parsed.GetValue(limit),
                cancellationToken);
            return session.Output.ShowAsync(decommissions, DecommissionColumns.All, cancellationToken);
        });
    }
}
