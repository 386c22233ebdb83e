using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Operators;

internal static class ListOperators
{
    public static Command Create() => ListVerb.Create<V1.Operator>(
        "Operators by name.",
        null,
        OperatorColumns.All,
        async page =>
        {
            var request = new V1.ListOperatorsRequest
            {
                Parent = page.Parent,
                PageSize = page.Size,
                PageToken = page.Token,
            };
            var answer = await OperatorColumns.Client(page.Session).ListOperatorsAsync(request, cancellationToken: page.CancellationToken);
            return (answer.Operators, answer.NextPageToken);
        });
}
