using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Operators;

internal static class AddOperator
{
    private static readonly Dictionary<string, V1.OperatorRole> Roles = new(StringComparer.Ordinal)
    {
        ["viewer"] = V1.OperatorRole.Viewer,
        ["operator"] = V1.OperatorRole.Operator,
        ["approver"] = V1.OperatorRole.Approver,
        ["administrator"] = V1.OperatorRole.Administrator,
    };

    public static Command Create()
    {
        var name = VerbOptions.Name("name", "The operator's id: lower-case letters, digits and hyphens.");
        var roles = new Option<string[]>("--role")
        {
            Description = "What he may do; several are possible: viewer reads; operator does everything but approving and operators;"
                + " approver reads and approves; administrator does everything but approving.",
            Required = true,
        };
        roles.AcceptOnlyFromAmong([.. Roles.Keys]);
        var signingRequest = new Option<string>("--request")
        {
            Description = "The request that his own CLI made.",
            HelpName = "FILE",
            Required = true,
        };
        var grant = new Option<string?>("--out") { Description = "Where to write what he takes in; default stdout.", HelpName = "FILE" };
        var requestId = VerbOptions.RequestId();
        return new Command("add", "Signs a person's request (role administrator).") { name, roles, signingRequest, grant, requestId }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.CreateOperatorRequest
                {
                    Parent = session.Parent,
                    OperatorId = parsed.GetRequiredValue(name),
                    Operator = new V1.Operator(),
                    CertificateRequest = ProfileFolder.ReadText(parsed.GetRequiredValue(signingRequest)),
                    RequestId = parsed.RequestIdOf(requestId),
                };
                request.Operator.Roles.AddRange(parsed.GetRequiredValue(roles).Distinct().Select(role => Roles[role]));
                var added = await OperatorColumns.Client(session).CreateOperatorAsync(request, cancellationToken: cancellationToken);
                await HandOnAsync(session, added, parsed.GetValue(grant), cancellationToken);
            });
    }

    private static async Task HandOnAsync(
        FleetSession session, V1.CreateOperatorResponse added, string? file, CancellationToken cancellationToken)
    {
        var profile = session.Profile with { Operator = Values.Short(added.Operator.Name) };
        var json = new OperatorGrant(profile, added.Certificate, added.ServerCa).ToJson();
        if (file is null)
        {
            await session.Output.LineAsync(json);
            return;
        }

        try
        {
            await File.WriteAllTextAsync(file, json + "\n", cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"Cannot write '{file}': {exception.Message}", exception);
        }

        await session.Output.ShowAsync(added.Operator);
    }
}
