using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class PublishImage
{
    public static Command Create()
    {
        var image = ImageColumns.Image();
        var etag = new Option<string?>("--etag")
        {
            Description = "The etag of the image as you have read it. Default: as it is now.",
            HelpName = "ETAG",
        };
        return new Command("publish", "Approves a draft (role approver, never an author); the last approval needed publishes it.")
        {
            image, etag,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var client = ImageColumns.Client(session);
                var name = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(image));
                var seen = parsed.GetValue(etag)
                    ?? (await client.GetImageAsync(new V1.GetImageRequest { Name = name }, cancellationToken: cancellationToken)).Etag;
                var request = new V1.PublishImageRequest { Name = name, Etag = seen };
                await session.Output.ShowAsync(await client.PublishImageAsync(request, cancellationToken: cancellationToken));
            });
    }
}
