using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Decommissions;

/// <summary>What tables show of decommissions.</summary>
internal static class DecommissionColumns
{
    public const string Collection = "decommissions";

    public static IReadOnlyList<(string Header, Func<V1.Decommission, string> Value)> All { get; } =
    [
        ("DEVICE", one => Values.Short(one.Name)),
        ("STATE", one => EnumNames.Of(one.State)),
        ("CAUSE", one => one.Cause),
        ("CAMPAIGN", one => one.Campaign),
        ("REQUESTER", one => one.Requester),
        ("APPROVER", one => one.Approver),
        ("STALLED", one => one.StalledReason),
    ];

    public static Argument<string> Device() =>
        VerbOptions.Name("device", "The device: its serial number, or the decommission's full name.");

    public static V1.Decommissions.DecommissionsClient Client(FleetSession session) => new(session.Calls);

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> device) =>
        session.NameOf(Collection, parsed.GetRequiredValue(device));
}
