using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

internal static class ListWarranties
{
    public static Command Create()
    {
        var filter = CommonOptions.Filter("name, review (open, kept, decommission_proposed)");
        var limit = CommonOptions.Limit();
        return new Command("list", "Warranties that were set, by device.") { filter, limit }.Calls((session, parsed, cancellationToken) =>
        {
            var client = WarrantyColumns.Client(session);
            var warranties = Paging.AllAsync<V1.Warranty>(
                async (size, token) =>
                {
                    var request = new V1.ListWarrantiesRequest
                    {
                        Parent = session.Parent,
                        Filter = parsed.GetRequiredValue(filter),
                        PageSize = size,
                        PageToken = token,
                    };
                    var page = await client.ListWarrantiesAsync(request, cancellationToken: cancellationToken);
                    return (page.Warranties, page.NextPageToken);
                },
                parsed.GetValue(limit),
                cancellationToken);
            return session.Output.ShowAsync(warranties, WarrantyColumns.All, cancellationToken);
        });
    }
}
