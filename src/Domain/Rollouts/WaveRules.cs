using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>What the filter and the strata of a wave may be.</summary>
public static class WaveRules
{
    /// <summary>Rows of lists leave the settings out, and their values are whatever devices report: no strata.</summary>
    internal const string SettingsField = "settings";

    internal static void Check(ImmutableArray<WaveSpec> waves, ImmutableArray<SpecProblem>.Builder problems)
    {
        for (var i = 0; i < waves.Length; i++)
        {
            if (InventoryFilter.Parse(waves[i].Filter ?? "", InventoryFields.Device).Error is { } unreadable)
            {
                problems.Add(new($"waves[{i}].filter", unreadable.Message));
            }

            CheckStrata(waves[i], $"waves[{i}].stratify_by", problems);
        }

        if (WaveSorting.FieldsOf(waves) is { Length: > WaveSorting.FieldsMax } fields)
        {
            problems.Add(new(
                "waves",
                $"are stratified by {fields.Length} different fields together ({string.Join(", ", fields)});"
                + $" at most {WaveSorting.FieldsMax}"));
        }
    }

    /// <summary>Reads a field that a wave may be stratified by: one that devices are counted by. The error names the column.</summary>
    public static (GroupKey? Key, string Error) ReadField(string? text)
    {
        var (grouping, error) = InventoryGrouping.Parse(text ?? "", InventoryFields.Device);
        return (error, grouping.Keys) switch
        {
            ({ } unreadable, _) => (null, unreadable.Message.Replace("group_by", "stratify_by", StringComparison.Ordinal)),
            (_, not [_]) => (null, "Each entry is one field, such as model or labels.floor."),
            (_, [{ Path.Field.Name: SettingsField }]) => (null, "Settings are no strata: stratify by a label that says the same."),
            (_, [var key]) => (key, ""),
        };
    }

    private static void CheckStrata(WaveSpec wave, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (!wave.IsStratified)
        {
            return;
        }

        if (wave.StratifyBy.Length > WaveSorting.FieldsMax)
        {
            problems.Add(new(field, $"has at most {WaveSorting.FieldsMax} fields"));
        }

        for (var i = 0; i < wave.StratifyBy.Length; i++)
        {
            if (ReadField(wave.StratifyBy[i]) is { Key: null, Error: var error })
            {
                problems.Add(new($"{field}[{i}]", error));
            }
            else if (wave.StratifyBy.IndexOf(wave.StratifyBy[i]) < i)
            {
                problems.Add(new($"{field}[{i}]", "is named twice"));
            }
        }
    }
}
