using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Anchors;

internal static class RemoveAnchor
{
    public static Command Create()
    {
        var anchor = VerbOptions.Name("anchor", "The anchor: its id, or its full name.");
        var certificate = new Option<string>("--certificate")
        {
            Description = "Only this certificate of it, by its SHA-256. Default: the whole anchor.",
            HelpName = "SHA256",
            DefaultValueFactory = _ => "",
        };
        return new Command(
            "remove", "Believes a maker no more: its devices are not admitted, and sessions that rest on it are closed within seconds.")
        {
            anchor, certificate,
        }
        .Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.RemoveAnchorRequest
            {
                Name = session.NameOf(AnchorColumns.Collection, parsed.GetRequiredValue(anchor)),
                CertificateSha256 = parsed.GetRequiredValue(certificate),
            };
            await AnchorColumns.Client(session).RemoveAnchorAsync(request, cancellationToken: cancellationToken);
        });
    }
}
