using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Enrollments;

internal static class ListEnrollments
{
    public static Command Create() => ListVerb.Create<V1.Enrollment>(
        "Requests of devices that nobody expects, by device.",
        EnrollmentColumns.FilterFields,
        EnrollmentColumns.All,
        async page =>
        {
            var request = new V1.ListEnrollmentsRequest
            {
                Parent = page.Parent,
                Filter = page.Filter,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await EnrollmentColumns.Client(page.Session)
                .ListEnrollmentsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Enrollments, answer.NextPageToken);
        });
}
