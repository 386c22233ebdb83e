using System.Globalization;
using Spectre.Console;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

/// <summary>Whom of the members of a dry run the image is not for, as people read it, and what would help.</summary>
internal static class FitTable
{
    private const string StepRequired = "STEP_REQUIRED";

    /// <summary>Null when it is for all of them, as far as is known.</summary>
    internal static Table? Of(V1.Rollout rollout)
    {
        var taken = rollout.Steps.Where(step => step is { Taken: true, Devices: > 0 }).ToList();
        if (rollout.ExpectedSkips.Count == 0 && taken.Count == 0)
        {
            return null;
        }

        var table = new Table { Border = TableBorder.Minimal };
        foreach (var header in new[] { "LEFT OUT", "DEVICES", "FIRST" })
        {
            table.AddColumn(new TableColumn(new Text(header)) { NoWrap = true });
        }

        foreach (var skip in rollout.ExpectedSkips)
        {
            table.AddRow(Row(skip.Reason, skip.Devices, ""));
            foreach (var step in skip.Reason == StepRequired ? rollout.Steps.Where(step => !step.Taken) : [])
            {
                table.AddRow(Row("", step.Devices, $"{step.Version} {Images(step)}"));
            }
        }

        foreach (var step in taken)
        {
            table.AddRow(Row("(none: taken over)", step.Devices, $"{step.Version} {Images(step)}"));
        }

        return table;
    }

    private static string Images(V1.RequiredStep step) => step.Images.Count == 0
        ? "(no image of it is published)"
        : string.Join(' ', step.Images.Select(image => image[(image.LastIndexOf('/') + 1)..]));

    private static Text[] Row(string reason, long devices, string first) =>
        [new(reason), new(devices.ToString(CultureInfo.InvariantCulture)), new(first)];
}
