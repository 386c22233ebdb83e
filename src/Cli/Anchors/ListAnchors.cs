using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Anchors;

internal static class ListAnchors
{
    public static Command Create() => ListVerb.Create<V1.Anchor>(
        "Trust anchors by id; what a gateway's trust folder holds is not among them.",
        null,
        AnchorColumns.All,
        async page =>
        {
            var request = new V1.ListAnchorsRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await AnchorColumns.Client(page.Session).ListAnchorsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Anchors, answer.NextPageToken);
        });
}
