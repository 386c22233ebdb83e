using System.CommandLine;
using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Strategies;

/// <summary>What tables show of strategies.</summary>
internal static class StrategyColumns
{
    public const string Collection = "strategies";

    public static IReadOnlyList<(string Header, Func<V1.Strategy, string> Value)> All { get; } =
    [
        ("STRATEGY", strategy => Values.Short(strategy.Name)),
        ("VERSION", strategy => strategy.Version.ToString(CultureInfo.InvariantCulture)),
        ("WAVES", strategy => strategy.Rollout.Waves.Count.ToString(CultureInfo.InvariantCulture)),
        ("CHANGED", strategy => strategy.ChangedAt?.ToDateTimeOffset().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? ""),
        ("BY", strategy => strategy.ChangedBy),
        ("DESCRIPTION", strategy => strategy.Description),
    ];

    public static Argument<string> Strategy() => VerbOptions.Name("strategy", "The strategy: its id, or its full name.");

    public static Option<string> File(string description) => new("--file", "-f")
    {
        Description = description,
        HelpName = "FILE",
        Required = true,
    };

    public static Option<string> Etag() => new("--etag")
    {
        Description = "Refuse when it is another than the one with this etag. Default: whatever it is.",
        HelpName = "ETAG",
        DefaultValueFactory = _ => "",
    };

    public static V1.Strategies.StrategiesClient Client(FleetSession session) => new(session.Calls);
}
