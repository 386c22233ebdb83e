using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Anchors;

/// <summary>What tables show of trust anchors.</summary>
internal static class AnchorColumns
{
    public const string Collection = "anchors";

    public static IReadOnlyList<(string Header, Func<V1.Anchor, string> Value)> All { get; } =
    [
        ("ANCHOR", anchor => Values.Short(anchor.Name)),
        ("PROFILE", anchor => NameOf(anchor.Profile)),
        ("SERIALS", anchor => anchor.SerialPrefixes.Count == 0 ? "all others" : string.Join(", ", anchor.SerialPrefixes)),
        ("ROOTS", anchor => Count(anchor, isRoot: true)),
        ("INTERMEDIATES", anchor => Count(anchor, isRoot: false)),
        ("FIRST END", anchor => FirstEnd(anchor)),
    ];

    public static V1.Anchors.AnchorsClient Client(FleetSession session) => new(session.Calls);

    public static string NameOf(V1.AnchorProfile profile) => profile switch
    {
        V1.AnchorProfile.Axis => "axis",
        V1.AnchorProfile.Ieee8021Ar => "ieee8021ar",
        _ => profile.ToString(),
    };

    private static string Count(V1.Anchor anchor, bool isRoot) =>
        anchor.Certificates.Count(certificate => certificate.Root == isRoot).ToString(CultureInfo.InvariantCulture);

    private static string FirstEnd(V1.Anchor anchor) => anchor.Certificates
        .Where(certificate => certificate.EndTime is not null)
        .Select(certificate => certificate.EndTime.ToDateTimeOffset().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))
        .Order(StringComparer.Ordinal)
        .FirstOrDefault() ?? "never";
}
