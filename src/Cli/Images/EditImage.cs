using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class EditImage
{
    public static Command Create()
    {
        var image = ImageColumns.Image();
        var statement = new ImageStatement();
        var command = new Command("edit", "States a draft anew, as a whole; what was approved of it before does not count any more.")
        {
            image,
        };
        return statement.AddTo(command).Calls(async (session, parsed, cancellationToken) =>
        {
            var stated = await statement.ReadAsync(parsed, cancellationToken);
            stated.Name = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(image));
            var request = new V1.UpdateImageRequest { Image = stated };
            await session.Output.ShowAsync(
                await ImageColumns.Client(session).UpdateImageAsync(request, cancellationToken: cancellationToken));
        });
    }
}
