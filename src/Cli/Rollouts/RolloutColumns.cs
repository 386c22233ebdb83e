using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>What tables show of rollouts.</summary>
internal static class RolloutColumns
{
    public const string Collection = "rollouts";

    public static IReadOnlyList<(string Header, Func<V1.Rollout, string> Value)> All { get; } =
    [
        ("ROLLOUT", rollout => Values.Short(rollout.Name)),
        ("STATE", rollout => EnumNames.Of(rollout.State)),
        ("VERSION", rollout => rollout.SettingCount > 0
            ? FormattableString.Invariant($"{rollout.SettingCount} settings")
            : rollout.TargetVersion),
        ("MEMBERS", rollout => FormattableString.Invariant($"{rollout.Members}")),
        ("SUCCEEDED", rollout => FormattableString.Invariant($"{rollout.Succeeded}")),
        ("FAILED", rollout => FormattableString.Invariant($"{rollout.Failed}")),
        ("CREATED", rollout => rollout.CreatedAt?.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm", null) ?? ""),
    ];

    public static Argument<string> Rollout() => VerbOptions.Name("rollout", "The rollout: its id, or its full name.");

    public static Option<int> Wave() =>
        new("--wave") { Description = "Which wave, from 0.", HelpName = "N", Required = true };

    public static Option<string?> Etag(string description) => new("--etag") { Description = description, HelpName = "ETAG" };

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> rollout) =>
        session.NameOf(Collection, parsed.GetRequiredValue(rollout));

    public static V1.Rollouts.RolloutsClient Client(FleetSession session) => new(session.Calls);
}
