using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Spectre.Console;
using Spectre.Console.Rendering;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>A simulation as people read it: one column for the image as assumed, one for a bad one.</summary>
internal static class SimulationPicture
{
    public static IRenderable Of(V1.SimulateRolloutResponse answer, bool includesLateJoiners)
    {
        var table = new Table { Border = TableBorder.Minimal };
        table.AddColumns(
            "",
            $"{Percent(answer.Good.FailurePercent)} of devices fail",
            $"{Percent(answer.Bad.FailurePercent)} fail (a bad image)");
        Row("succeeded", one => Percent(one.SucceededPercent));
        Row("  after (5 %, half, 95 % of them)", one => Times(one.SucceededAfter));
        Row("halted by a gate", one => Percent(one.HaltedPercent));
        Row("  after", one => Times(one.HaltedAfter));
        Row("  devices touched before", one => Counts(one.TouchedBeforeHalt));
        Row($"halted with at most {Percent(answer.TouchedPercentMax)} touched", one => Percent(one.HaltedInTimePercent));
        Row("not ended in half a year", one => Percent(one.UnfinishedPercent));
        return new Rows(
        [
            new Text(string.Create(
                CultureInfo.InvariantCulture,
                $"{answer.Runs} runs of {answer.Waves.Sum()} devices in waves of {string.Join(", ", answer.Waves)}.")
                + (includesLateJoiners ? " Nobody joins late in them." : "")),
            table,
            .. answer.LeftOut.Select(text => new Text($"Not in these numbers, and slower in reality: {text}.")),
        ]);

        void Row(string name, Func<V1.SimulatedRollouts, string> value) => table.AddRow(
            new Text(name), new Text(value(answer.Good)), new Text(value(answer.Bad)));
    }

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:0.##} %");

    private static string Times(V1.SimulatedTimes? times) =>
        times is null ? "-" : string.Join("  ", new[] { times.P5, times.P50, times.P95 }.Select(Time));

    private static string Counts(V1.SimulatedCounts? counts) => counts is null ? "-" : $"{counts.P5}  {counts.P50}  {counts.P95}";

    private static string Time(Duration duration)
    {
        var time = duration.ToTimeSpan();
        return time.TotalDays >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalDays:0.0}d")
            : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}h{time.Minutes:00}m");
    }
}
