using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Operators;

/// <summary>What tables show of operators.</summary>
internal static class OperatorColumns
{
    public static IReadOnlyList<(string Header, Func<V1.Operator, string> Value)> All { get; } =
    [
        ("OPERATOR", one => Values.Short(one.Name)),
        ("ROLES", one => string.Join(", ", one.Roles.Select(role => EnumNames.Of(role)))),
        ("DISABLED", one => one.Disabled ? "yes" : "no"),
        ("CERTIFICATE", one => string.Join(", ", one.CertificateSha256)),
    ];

    public static V1.Operators.OperatorsClient Client(FleetSession session) => new(session.Calls);
}
