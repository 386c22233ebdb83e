using System.CommandLine;
using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>How many devices of one value may be in progress at a time.</summary>
internal static class BudgetOptions
{
    private const string Form = "FIELD=N";

    public static readonly Option<string[]> Per = new("--max-unavailable-per")
    {
        Description = "Devices in progress at a time of each value of FIELD, or a percentage of the devices with that value, such as"
            + " site=10% or labels.redundancy_group=1; at least one. Several are possible, one for each field; a device without a value"
            + " is in none.",
        HelpName = Form,
        DefaultValueFactory = _ => [],
    };

    public static void Read(ParseResult parsed, V1.Rollout rollout) =>
        rollout.MaxUnavailablePer.AddRange(parsed.GetRequiredValue(Per).Select(Parse));

    /// <summary>As it is written on the command line.</summary>
    public static string Text(V1.ValueBudget budget) => budget.LimitCase == V1.ValueBudget.LimitOneofCase.Percent
        ? FormattableString.Invariant($"{budget.Field}={budget.Percent}%")
        : FormattableString.Invariant($"{budget.Field}={budget.Count}");

    private static V1.ValueBudget Parse(string text)
    {
        var equals = text.LastIndexOf('=');
        var isPercent = text.EndsWith('%');
        var digits = equals < 1 ? "" : text[(equals + 1)..(isPercent ? ^1 : ^0)];
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new UsageException(
                $"'{text}' is not {Form}: --max-unavailable-per takes, for example, site=10% or labels.redundancy_group=1.");
        }

        var budget = new V1.ValueBudget { Field = text[..equals].Trim() };
        if (isPercent)
        {
            budget.Percent = number;
        }
        else
        {
            budget.Count = number;
        }

        return budget;
    }
}
