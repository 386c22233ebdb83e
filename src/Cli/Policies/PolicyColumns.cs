using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Policies;

/// <summary>What tables show of policies.</summary>
internal static class PolicyColumns
{
    public const string Collection = "policies";

    public static IReadOnlyList<(string Header, Func<V1.Policy, string> Value)> All { get; } =
    [
        ("POLICY", policy => Values.Short(policy.Name)),
        ("VERSION", policy => FormattableString.Invariant($"{policy.Version}")),
        ("RULES", policy => string.Join(", ", policy.Rules.Select(rule => rule.Name))),
        ("MODELS", policy => policy.Models.Count == 0 ? "all" : string.Join(", ", policy.Models)),
        ("EVALUATED", policy => policy.Evaluated ? "yes" : "in progress"),
    ];

    public static V1.Policies.PoliciesClient Client(FleetSession session) => new(session.Calls);
}
