using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class CountDevices
{
    public static Command Create()
    {
        var filter = VerbOptions.Filter(DeviceColumns.FilterFields);
        var by = new Option<string>("--by") { Description = "Count each value of this field.", DefaultValueFactory = _ => "" };
        by.AcceptOnlyFromAmong("state", "compliance", "os_version", "model", "site", "track");
        return new Command("count", "How many devices match.") { filter, by }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.CountDevicesRequest
            {
                Parent = session.Parent,
                Filter = parsed.GetRequiredValue(filter),
                GroupBy = parsed.GetRequiredValue(by),
            };
            await session.Output.ShowAsync(
                await DeviceColumns.Client(session).CountDevicesAsync(request, cancellationToken: cancellationToken));
        });
    }
}
