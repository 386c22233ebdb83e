using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Devices;

internal static class CreateDevice
{
    public static Command Create()
    {
        var device = VerbOptions.Name("serial", "The serial number in canonical form, for example B8A44F000001.");
        var model = new Option<string>("--model") { Description = "The product, for example P3265-V.", Required = true };
        var track = new Option<string>("--track")
        {
            Description = "active, or a long-term-support line such as 12.11.",
            DefaultValueFactory = _ => "active",
        };
        var site = new Option<string>("--site") { Description = "Where it goes.", DefaultValueFactory = _ => "" };
        var floor = new Option<string>("--os-floor")
        {
            Description = "The lowest OS version it may enrol with.",
            DefaultValueFactory = _ => "",
        };
        var manual = new Option<bool>("--manual") { Description = "An operator approves the enrolment." };
        var starts = new Option<string>("--warranty-start") { Description = "The first day of the warranty, YYYY-MM-DD.", Required = true };
        var months = new Option<int>("--warranty-months") { Description = "0 to 240 months; 0 for no cover.", Required = true };
        var order = new Option<string>("--order") { Description = "The order it was bought with.", DefaultValueFactory = _ => "" };
        var certificate = new Option<string>("--certificate-sha256")
        {
            Description = "The only certificate it may enrol with: SHA-256, 64 lower-case hex digits.",
            HelpName = "DIGITS",
            DefaultValueFactory = _ => "",
        };
        var labels = EditDevices.Labels("--label", "A label; may be given several times.");
        var requestId = VerbOptions.RequestId();
        return new Command("create", "Puts a device on the delivery list.")
        {
            device, model, track, site, floor, manual, starts, months, order, certificate, labels, requestId,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.CreateDeviceRequest
                {
                    Parent = session.Parent,
                    DeviceId = parsed.GetRequiredValue(device),
                    RequestId = parsed.RequestIdOf(requestId),
                    Device = new V1.Device
                    {
                        Model = parsed.GetRequiredValue(model),
                        Track = parsed.GetRequiredValue(track),
                        Site = parsed.GetRequiredValue(site),
                        OsFloor = parsed.GetRequiredValue(floor),
                        Approval = parsed.GetValue(manual) ? V1.EnrollmentApproval.Manual : V1.EnrollmentApproval.Automatic,
                        Order = parsed.GetRequiredValue(order),
                        ExpectedCertificateSha256 = parsed.GetRequiredValue(certificate),
                        Warranty = new V1.Warranty { StartsOn = parsed.GetRequiredValue(starts), TermMonths = parsed.GetValue(months) },
                    },
                };
                EditDevices.AddTo(request.Device.Labels, parsed.GetValue(labels) ?? []);
                await session.Output.ShowAsync(
                    await DeviceColumns.Client(session).CreateDeviceAsync(request, cancellationToken: cancellationToken));
            });
    }
}
