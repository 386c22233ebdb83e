using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Serials;

internal static class ListSerials
{
    public static Command Create() => ListVerb.Create<V1.Serial>(
        "Serials that more than one tenant expects, or expected.",
        SerialColumns.FilterFields,
        SerialColumns.All,
        async page =>
        {
            var request = new V1.ListSerialsRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await SerialColumns.Client(page.Session).ListSerialsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Serials, answer.NextPageToken);
        });
}
