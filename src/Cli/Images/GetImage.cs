using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class GetImage
{
    public static Command Create()
    {
        var image = VerbOptions.Name("image", "The image's digest (SHA-256, 64 lower-case hex digits), or its full name.");
        return new Command("get", "One image.") { image }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.GetImageRequest { Name = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(image)) };
            await session.Output.ShowAsync(await ImageColumns.Client(session).GetImageAsync(request, cancellationToken: cancellationToken));
        });
    }
}
