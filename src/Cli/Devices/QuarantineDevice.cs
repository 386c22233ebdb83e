using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class QuarantineDevice
{
    public static Command Create()
    {
        var device = DeviceColumns.Device();
        var cause = new Option<string>("--cause") { Description = "Why, in words.", Required = true };
        return new Command("quarantine", "Sets a device apart: it gets no rollouts.") { device, cause }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.QuarantineDeviceRequest
                {
                    Name = DeviceColumns.NameOf(session, parsed, device),
                    Cause = parsed.GetRequiredValue(cause),
                };
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).QuarantineDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
