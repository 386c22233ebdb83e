using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class GetImage
{
    public static Command Create()
    {
        var image = ImageColumns.Image();
        return new Command("get", "One image, with the devices that run it.") { image }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.GetImageRequest { Name = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(image)) };
            await session.Output.ShowAsync(await ImageColumns.Client(session).GetImageAsync(request, cancellationToken: cancellationToken));
        });
    }
}
