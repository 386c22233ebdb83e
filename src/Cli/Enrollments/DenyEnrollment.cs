using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Enrollments;

internal static class DenyEnrollment
{
    public static Command Create()
    {
        var device = EnrollmentColumns.Device();
        var reason = new Option<string>("--reason") { Description = "Why, in words.", Required = true };
        return new Command(
            "deny", "Sends the device away (role approver): for an hour, and twice as long each time, at most 7 days.") { device, reason }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.DenyEnrollmentRequest
                {
                    Name = EnrollmentColumns.NameOf(session, parsed, device),
                    Reason = parsed.GetRequiredValue(reason),
                };
                await session.Output.ShowAsync(
                    await EnrollmentColumns.Client(session).DenyEnrollmentAsync(request, cancellationToken: cancellationToken));
            });
    }
}
