using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class DenyDevice
{
    public static Command Create()
    {
        var device = DeviceColumns.Device();
        var cause = new Option<string>("--cause") { Description = "Why, in words.", Required = true };
        return new Command("deny", "Denies an enrolment that waits (role approver): the device is expected as before.") { device, cause }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.DenyDeviceRequest
                {
                    Name = DeviceColumns.NameOf(session, parsed, device),
                    Cause = parsed.GetRequiredValue(cause),
                };
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).DenyDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
