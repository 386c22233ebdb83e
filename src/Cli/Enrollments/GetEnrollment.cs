using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Enrollments;

internal static class GetEnrollment
{
    public static Command Create()
    {
        var device = EnrollmentColumns.Device();
        return new Command("get", "One request with its evidence.") { device }.Calls(async (session, parsed, cancellationToken) =>
            await session.Output.ShowAsync(await EnrollmentColumns.Client(session).GetEnrollmentAsync(
                new V1.GetEnrollmentRequest { Name = EnrollmentColumns.NameOf(session, parsed, device) },
                cancellationToken: cancellationToken)));
    }
}
