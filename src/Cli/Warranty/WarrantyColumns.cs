using System.CommandLine;
using System.Globalization;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Warranty;

/// <summary>What tables show of warranties, and how the commands name one.</summary>
internal static class WarrantyColumns
{
    public static IReadOnlyList<(string Header, Func<V1.Warranty, string> Value)> All { get; } =
    [
        // tenants/{tenant}/devices/{device}/warranty
        ("DEVICE", one => one.Name.Split('/')[3]),
        ("STARTS", one => one.StartsOn),
        ("MONTHS", one => one.TermMonths.ToString(CultureInfo.InvariantCulture)),
        ("ENDS", one => one.EndsOn),
        ("STATUS", one => EnumNames.Of(one.Status)),
        ("REVIEW", one => one.Review == V1.WarrantyReviewState.Unspecified ? "" : EnumNames.Of(one.Review)),
    ];

    public static Argument<string> Device() => VerbOptions.Name("device", "The device's serial number.");

    public static V1.Warranties.WarrantiesClient Client(FleetSession session) => new(session.Calls);

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> device) =>
        session.NameOf("devices", parsed.GetRequiredValue(device)) + "/warranty";
}
