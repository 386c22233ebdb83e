using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Operators;

internal static class ListOperators
{
    public static Command Create() => new Command("list", "Operators by name.").Calls((session, _, cancellationToken) =>
    {
        var client = OperatorColumns.Client(session);
        var operators = Paging.AllAsync<V1.Operator>(
            async (size, token) =>
            {
                var request = new V1.ListOperatorsRequest { Parent = session.Parent, PageSize = size, PageToken = token };
                var page = await client.ListOperatorsAsync(request, cancellationToken: cancellationToken);
                return (page.Operators, page.NextPageToken);
            },
            limit: 0,
            cancellationToken);
        return session.Output.ShowAsync(operators, OperatorColumns.All, cancellationToken);
    });
}
