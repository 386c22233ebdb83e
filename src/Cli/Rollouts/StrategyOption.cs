using System.CommandLine;
using Muster.Cli.Session;
using Muster.Cli.Strategies;

namespace Muster.Cli.Rollouts;

/// <summary>A rollout from a strategy: instead of all that says how it goes.</summary>
internal static class StrategyOption
{
    public static readonly Option<string?> Strategy = new("--strategy")
    {
        Description = "Everything but the image or settings, the filter, --allow-track-change and --take-steps as this strategy says, in"
            + " its newest version or in the one behind the @. Instead of --wave and whatever else says how it goes.",
        HelpName = "STRATEGY[@VERSION]",
    };

    /// <param name="command">What orders a rollout.</param>
    /// <param name="waves">What a course of one's own cannot do without.</param>
    /// <param name="course">All that says how a rollout goes.</param>
    public static void AddTo(Command command, Option waves, Option[] course)
    {
        command.Add(Strategy);
        Array.ForEach(course, command.Add);
        command.Validators.Add(result =>
        {
            if (result.GetResult(Strategy) is null)
            {
                if (result.GetResult(waves) is null)
                {
                    result.AddError("Either --wave, or --strategy.");
                }

                return;
            }

            foreach (var option in course.Where(option => result.GetResult(option) is { Implicit: false }))
            {
                result.AddError($"{option.Name} is the strategy's to say: leave it out, or leave --strategy out."
                    + (option == WaveOptions.Filters ? " --filter narrows all waves." : ""));
            }
        });
    }

    public static string? Read(FleetSession session, ParseResult parsed) =>
        parsed.GetValue(Strategy) is { } strategy ? session.NameOf(StrategyColumns.Collection, strategy) : null;
}
