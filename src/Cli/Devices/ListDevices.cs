using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class ListDevices
{
    public static Command Create() => ListVerb.Create<V1.Device>(
        "Devices that match, by name or in another order.",
        DeviceColumns.FilterFields,
        DeviceColumns.All,
        async page =>
        {
            var request = new V1.ListDevicesRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                OrderBy = page.OrderBy,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await DeviceColumns.Client(page.Session).ListDevicesAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Devices, answer.NextPageToken);
        },
        takesOrder: true);
}
