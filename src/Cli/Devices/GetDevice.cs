using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class GetDevice
{
    public static Command Create()
    {
        var device = DeviceColumns.Device();
        return new Command("get", "Everything about one device, its settings and its warranty included.") { device }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.GetDeviceRequest { Name = DeviceColumns.NameOf(session, parsed, device) };
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).GetDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
