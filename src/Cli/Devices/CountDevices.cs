using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class CountDevices
{
    public static Command Create()
    {
        var filter = VerbOptions.Filter(DeviceColumns.FilterFields);
        var by = new Option<string>("--by")
        {
            Description = "Count by the values of up to three fields, separated by commas; a date as created_at_day, _month or _year.",
            HelpName = "FIELDS",
            DefaultValueFactory = _ => "",
        };
        var top = new Option<int>("--top") { Description = "Only the largest groups, 1 to 1000; 0 for all.", HelpName = "N" };
        return new Command("count", "How many devices match.") { filter, by, top }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.CountDevicesRequest
            {
                Parent = session.Parent,
                Filter = parsed.GetRequiredValue(filter),
                GroupBy = parsed.GetRequiredValue(by),
                Top = parsed.GetValue(top),
            };
            var counts = await DeviceColumns.Client(session).CountDevicesAsync(request, cancellationToken: cancellationToken);
            if (session.Output.IsJson)
            {
                await session.Output.ShowAsync(counts);
                return;
            }

            foreach (var group in counts.Groups)
            {
                await session.Output.LineAsync($"{group.Count,10}  {string.Join("  ", group.Values.Select(Shown))}");
            }

            if (counts.Other > 0)
            {
                await session.Output.LineAsync($"{counts.Other,10}  (others)");
            }

            await session.Output.LineAsync($"{counts.Total,10}  total");
        });
    }

    /// <summary>A group of devices without a value is a line of its own, not an empty one.</summary>
    private static string Shown(string value) => value.Length > 0 ? value : "-";
}
