using System.Globalization;
using Muster.Cli.Session;
using Spectre.Console;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>Who is in which wave, as people read it: a line per wave, and one per stratum below it.</summary>
internal static class StrataTable
{
    /// <summary>The plan of a dry run: its waves, and nothing else, have a status.</summary>
    public static async Task ShowPlanAsync(FleetSession session, V1.Rollout rollout)
    {
        if (session.Output.IsJson)
        {
            await session.Output.ShowAsync(rollout);
            return;
        }

        var waves = rollout.WaveStatus.ToList();
        var fit = FitTable.Of(rollout);
        rollout.WaveStatus.Clear();
        rollout.ExpectedSkips.Clear();
        rollout.Steps.Clear();
        await session.Output.ShowAsync(rollout);
        session.Output.Console.Write(Of(rollout, waves, isPlan: true));
        if (fit is not null)
        {
            session.Output.Console.Write(fit);
        }
    }

    /// <summary>A rollout whose strata, if it has any, are a table and not a line for every number.</summary>
    public static async Task ShowAsync(FleetSession session, V1.Rollout rollout)
    {
        var waves = rollout.WaveStatus.Where(wave => wave.Strata.Count > 0).Select(wave => wave.Clone()).ToList();
        if (session.Output.IsJson || waves.Count == 0)
        {
            await session.Output.ShowAsync(rollout);
            return;
        }

        foreach (var wave in rollout.WaveStatus)
        {
            wave.Strata.Clear();
        }

        await session.Output.ShowAsync(rollout);
        session.Output.Console.Write(Of(rollout, waves, isPlan: false));
    }

    internal static Table Of(V1.Rollout rollout, IEnumerable<V1.Wave> waves, bool isPlan)
    {
        var table = new Table { Border = TableBorder.Minimal };
        foreach (var header in new[] { "WAVE", "STRATUM", "MEMBERS", "OF" })
        {
            table.AddColumn(new TableColumn(new Text(header)) { NoWrap = true });
        }

        foreach (var wave in waves)
        {
            if (isPlan)
            {
                table.AddRow(Row(Number(wave.Index), Note(rollout, wave), Number(wave.Members), ""));
            }

            foreach (var stratum in wave.Strata)
            {
                var values = string.Join(", ", stratum.Values.Select(value => value.Length == 0 ? "(none)" : value));
                table.AddRow(Row(Number(wave.Index), values, Number(stratum.Members), Number(stratum.Available)));
            }
        }

        return table;
    }

    private static string Note(V1.Rollout rollout, V1.Wave wave) =>
        wave.LateJoiners ? "(whoever joins late)"
        : wave.Index >= rollout.Waves.Count ? "(what is left)"
        : wave.Members == 0 ? "(empty: passes at once)"
        : "";

    private static Text[] Row(params string[] cells) => [.. cells.Select(cell => new Text(cell))];

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
