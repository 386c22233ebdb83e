using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class WithdrawDevice
{
    public static Command Create()
    {
        var device = DeviceColumns.Device();
        var cause = new Option<string>("--cause") { Description = "Why, in words.", Required = true };
        return new Command("withdraw", "Takes back that a device is expected, as long as it has not enrolled.") { device, cause }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.WithdrawDeviceRequest
                {
                    Name = DeviceColumns.NameOf(session, parsed, device),
                    Cause = parsed.GetRequiredValue(cause),
                };
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).WithdrawDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
