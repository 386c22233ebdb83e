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

    /// <summary>Gives them to waves that are new.</summary>
    public static void Read(ParseResult parsed, IList<V1.WaveSpec> waves)
    {
        foreach (var filter in ReadFilters(parsed, waves.Count))
        {
            waves[filter.Wave].Filter = filter.Filter;
        }

        AddStrata(parsed, waves);
    }

    /// <summary>The filters, one for a wave at most.</summary>
    public static IEnumerable<V1.WaveFilter> ReadFilters(ParseResult parsed, int waves) =>
        Split(parsed.GetRequiredValue(Filters), "--wave-filter", FilterForm, waves)
            .Select(value => new V1.WaveFilter { Wave = value.Wave, Filter = value.Text });

    /// <summary>Adds the fields that a wave is not stratified by yet; false when none are given.</summary>
    public static bool AddStrata(ParseResult parsed, IList<V1.WaveSpec> waves)
    {
        var values = Split(parsed.GetRequiredValue(Strata), "--stratify", StratifyForm, waves.Count);
        foreach (var (wave, text) in values)
        {
            var fields = waves[wave].StratifyBy;
            fields.AddRange(text.Split(',', StringSplitOptions.TrimEntries).Except([.. fields]));
        }

        return values.Count > 0;
    }

    private static List<(int Wave, string Text)> Split(string[] values, string name, string form, int waves)
    {
        var read = new List<(int Wave, string Text)>();
        foreach (var value in values)
        {
            var colon = value.IndexOf(':', StringComparison.Ordinal);
            var text = value[(colon + 1)..].Trim();
            if (colon < 1 || text.Length == 0
                || !int.TryParse(value[..colon], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            {
                throw new UsageException($"'{value}' is not {form}: {name} takes, for example, '0:{Example(name)}'.");
            }

            if (index >= waves)
            {
                throw new UsageException($"{name} '{value}': there is no wave {index}; the {waves} waves count from 0.");
            }

            if (read.Exists(before => before.Wave == index))
            {
                throw new UsageException($"{name} '{value}': the wave has one already; with AND or a comma it is one for both.");
            }

            read.Add((index, text));
        }

        return read;
    }

    private static string Example(string name) => name == "--stratify" ? "model,site" : "site = Lund";
}
