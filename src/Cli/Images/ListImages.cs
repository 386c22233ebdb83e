using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class ListImages
{
    public static Command Create() => ListVerb.Create<V1.Image>(
        "Images by digest.",
        "name, state, version, track, format, created_at, released_on, min_from_version, security_floor, supported_until, "
        + "fixed_vulnerabilities:CVE-2025-9524",
        ImageColumns.All,
        async page =>
        {
            var request = new V1.ListImagesRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await ImageColumns.Client(page.Session).ListImagesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Images, answer.NextPageToken);
        });
}
