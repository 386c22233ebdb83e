using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class ListImages
{
    public static Command Create()
    {
        var filter = CommonOptions.Filter("name, version, track");
        var limit = CommonOptions.Limit();
        return new Command("list", "Images by digest.") { filter, limit }.Calls((session, parsed, cancellationToken) =>
        {
            var client = ImageColumns.Client(session);
            var images = Paging.AllAsync<V1.Image>(
                async (size, token) =>
                {
                    var request = new V1.ListImagesRequest
                    {
                        Parent = session.Parent,
                        Filter = parsed.GetRequiredValue(filter),
                        PageSize = size,
                        PageToken = token,
                    };
                    var page = await client.ListImagesAsync(request, cancellationToken: cancellationToken);
                    return (page.Images, page.NextPageToken);
                },
                parsed.GetValue(limit),
                cancellationToken);
            return session.Output.ShowAsync(images, ImageColumns.All, cancellationToken);
        });
    }
}
