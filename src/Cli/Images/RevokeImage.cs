using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Images;

internal static class RevokeImage
{
    public static Command Create()
    {
        var image = ImageColumns.Image();
        var reason = new Option<string>("--reason") { Description = "Why; required.", HelpName = "TEXT", Required = true };
        var requestId = VerbOptions.RequestId();
        return new Command("revoke", "Withdraws an image for ever: no offers, no downloads, its rollouts halt.")
        {
            image, reason, requestId,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.RevokeImageRequest
                {
                    Name = session.NameOf(ImageColumns.Collection, parsed.GetRequiredValue(image)),
                    Reason = parsed.GetRequiredValue(reason),
                    RequestId = parsed.RequestIdOf(requestId),
                };
                await session.Output.ShowAsync(
                    await ImageColumns.Client(session).RevokeImageAsync(request, cancellationToken: cancellationToken));
            });
    }
}
