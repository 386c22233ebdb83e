using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class ApproveDevice
{
    public static Command Create()
    {
        var device = DeviceColumns.Device();
        var certificate = VerbOptions.Certificate(isRequired: false);
        return new Command("approve", "Approves an enrolment that waits (role approver).") { device, certificate }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.ApproveDeviceRequest
                {
                    Name = DeviceColumns.NameOf(session, parsed, device),
                    CertificateSha256 = parsed.GetValue(certificate) ?? "",
                };
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).ApproveDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
