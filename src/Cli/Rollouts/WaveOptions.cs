using System.CommandLine;
using System.Globalization;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>Which devices a wave takes; what holds colons and commas of its own is said beside the waves.</summary>
internal static class WaveOptions
{
    private const string FilterForm = "N:FILTER";

    private const string StratifyForm = "N:FIELD[,FIELD]";

    public static readonly Option<string[]> Filters = new("--wave-filter")
    {
        Description = "Wave N, counted from 0, takes only devices that match FILTER when the rollout starts, such as '0:site = Lund';"
            + " what it leaves goes to later waves. Several are possible, one for each wave.",
        HelpName = FilterForm,
        DefaultValueFactory = _ => [],
    };

    public static readonly Option<string[]> Strata = new("--stratify")
    {
        Description = "Wave N, counted from 0, has devices of every value of these fields in proportion, at least one each while its size"
            + " allows, such as '0:model,site'. Several are possible, one for each wave.",
        HelpName = StratifyForm,
        DefaultValueFactory = _ => [],
    };

    /// <summary>Waves are to be looked at, whichever they are.</summary>
    public static bool IsGiven(ParseResult parsed) =>
        parsed.GetRequiredValue(Filters).Length > 0 || parsed.GetRequiredValue(Strata).Length > 0;

    /// <summary>The waves of the rollout are there already.</summary>
    public static void Read(ParseResult parsed, V1.Rollout rollout)
    {
        foreach (var (wave, text, option) in Split(parsed.GetRequiredValue(Filters), "--wave-filter", FilterForm, rollout))
        {
            RequireUnset(wave.Filter.Length == 0, option);
            wave.Filter = text;
        }

        foreach (var (wave, text, option) in Split(parsed.GetRequiredValue(Strata), "--stratify", StratifyForm, rollout))
        {
            RequireUnset(wave.StratifyBy.Count == 0, option);
            wave.StratifyBy.AddRange(text.Split(',', StringSplitOptions.TrimEntries));
        }
    }

    private static IEnumerable<(V1.WaveSpec Wave, string Text, string Option)> Split(
        string[] values, string name, string form, V1.Rollout rollout)
    {
        foreach (var value in values)
        {
            var colon = value.IndexOf(':', StringComparison.Ordinal);
            var text = value[(colon + 1)..].Trim();
            if (colon < 1 || text.Length == 0
                || !int.TryParse(value[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                throw new UsageException($"'{value}' is not {form}: {name} takes, for example, '0:{Example(name)}'.");
            }

            if (index >= rollout.Waves.Count)
            {
                throw new UsageException(
                    $"{name} '{value}': there is no wave {index}; the {rollout.Waves.Count} waves count from 0.");
            }

            yield return (rollout.Waves[index], text, $"{name} '{value}'");
        }
    }

    private static string Example(string name) => name == "--stratify" ? "model,site" : "site = Lund";

    private static void RequireUnset(bool isUnset, string option)
    {
        if (!isUnset)
        {
            throw new UsageException($"{option}: the wave has one already; with AND or a comma it is one for both.");
        }
    }
}
