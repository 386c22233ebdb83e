using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Anchors;

internal static class AddAnchor
{
    public static Command Create()
    {
        var id = VerbOptions.Name("anchor", "The maker's name here, for example acme.");
        var file = VerbOptions.Name("file", "A PEM file with the roots and intermediates of the maker's device CA.");
        var profile = new Option<string>("--device-profile")
        {
            Description = "How its devices' certificates are read: axis, or ieee8021ar for any other maker.",
            Required = true,
        };
        profile.AcceptOnlyFromAmong(AnchorColumns.NameOf(V1.AnchorProfile.Axis), AnchorColumns.NameOf(V1.AnchorProfile.Ieee8021Ar));
        var serials = new Option<string[]>("--serials")
        {
            Description = "Beginnings of the serials that it may speak for, for example ACME-; of several anchors the longest counts. "
                + "Default: all that no other anchor names.",
            HelpName = "PREFIX",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        return new Command("add", "Believes the devices of a maker from now on, or adds certificates to an anchor.")
        {
            id, file, profile, serials,
        }
        .Calls(async (session, parsed, cancellationToken) =>
        {
            var isAxis = parsed.GetRequiredValue(profile) == AnchorColumns.NameOf(V1.AnchorProfile.Axis);
            var request = new V1.AddAnchorRequest
            {
                Parent = session.Parent,
                AnchorId = parsed.GetRequiredValue(id),
                Profile = isAxis ? V1.AnchorProfile.Axis : V1.AnchorProfile.Ieee8021Ar,
                Pem = ProfileFolder.ReadText(parsed.GetRequiredValue(file)),
            };
            request.SerialPrefixes.AddRange(parsed.GetRequiredValue(serials));
            await session.Output.ShowAsync(
                await AnchorColumns.Client(session).AddAnchorAsync(request, cancellationToken: cancellationToken));
        });
    }
}
