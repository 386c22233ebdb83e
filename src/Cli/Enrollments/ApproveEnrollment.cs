using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Enrollments;

internal static class ApproveEnrollment
{
    public static Command Create()
    {
        var device = EnrollmentColumns.Device();
        var certificate = VerbOptions.Certificate(isRequired: true);
        var model = Text("--model", "The product. Default: what the device says it is.");
        var site = Text("--site", "Where it is.");
        var track = Text("--track", "active, or a long-term-support line such as 12.11. Default: active.");
        var floor = Text("--os-floor", "The lowest OS version it may enrol with.");
        var starts = Text("--warranty-start", "The first day of the warranty, YYYY-MM-DD.");
        var months = new Option<int>("--warranty-months") { Description = "0 to 240 months; 0 for no cover." };
        return new Command("approve", "Lets the device come (role approver): its next hello enrols it.")
        {
            device, certificate, model, site, track, floor, starts, months,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.ApproveEnrollmentRequest
                {
                    Name = EnrollmentColumns.NameOf(session, parsed, device),
                    CertificateSha256 = parsed.GetRequiredValue(certificate),
                    Model = parsed.GetRequiredValue(model),
                    Site = parsed.GetRequiredValue(site),
                    Track = parsed.GetRequiredValue(track),
                    OsFloor = parsed.GetRequiredValue(floor),
                    Warranty = new V1.Warranty
                    {
                        StartsOn = parsed.GetRequiredValue(starts),
                        TermMonths = parsed.GetValue(months),
                    },
                };
                await session.Output.ShowAsync(
                    await EnrollmentColumns.Client(session).ApproveEnrollmentAsync(request, cancellationToken: cancellationToken));
            });
    }

    private static Option<string> Text(string name, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => "",
    };
}
