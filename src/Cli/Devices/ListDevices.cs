using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class ListDevices
{
    public static Command Create()
    {
        var filter = CommonOptions.Filter(DeviceColumns.FilterFields);
        var limit = CommonOptions.Limit();
        return new Command("list", "Devices by name.") { filter, limit }.Calls((session, parsed, cancellationToken) =>
        {
            var client = DeviceColumns.Client(session);
            var devices = Paging.AllAsync<V1.Device>(
                async (size, token) =>
                {
                    var request = new V1.ListDevicesRequest
                    {
                        Parent = session.Parent,
                        Filter = parsed.GetRequiredValue(filter),
                        PageSize = size,
                        PageToken = token,
                    };
                    var page = await client.ListDevicesAsync(request, cancellationToken: cancellationToken);
                    return (page.Devices, page.NextPageToken);
                },
                parsed.GetValue(limit),
                cancellationToken);
            return session.Output.ShowAsync(devices, DeviceColumns.All, cancellationToken);
        });
    }
}
