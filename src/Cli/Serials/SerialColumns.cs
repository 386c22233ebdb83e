using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Serials;

/// <summary>What tables show of serials.</summary>
internal static class SerialColumns
{
    public const string FilterFields = "name, state, disputed_at";

    public static IReadOnlyList<(string Header, Func<V1.Serial, string> Value)> All { get; } =
    [
        ("SERIAL", one => Values.Short(one.Name)),
        ("STATE", one => EnumNames.Of(one.State)),
        ("EXPECTED BY", one => string.Join(", ", one.ExpectingTenants)),
        ("ASSIGNED", one => one.AssignedTenant),
        ("HOLDER", one => one.Holder),
        ("DECIDER", one => one.Decider),
        ("DISPUTED", one => one.DisputedAt?.ToDateTime().ToString("u") ?? ""),
    ];

    public static Argument<string> Serial() => VerbOptions.Name("serial", "The serial as a device has it, or the full name.");

    public static V1.Serials.SerialsClient Client(FleetSession session) => new(session.Calls);

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> serial) =>
        session.NameOf("serials", parsed.GetRequiredValue(serial));
}
