using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

internal static class ListWarranties
{
    public static Command Create() => ListVerb.Create<V1.Warranty>(
        "Warranties that were set, by device.",
        "name, review (open, kept, decommission_proposed)",
        WarrantyColumns.All,
        async page =>
        {
            var request = new V1.ListWarrantiesRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await WarrantyColumns.Client(page.Session).ListWarrantiesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Warranties, answer.NextPageToken);
        });
}
