using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Policies;

internal static class GetPolicy
{
    public static Command Create()
    {
        var policy = VerbOptions.Name("policy", "The policy: its id, or its full name.");
        return new Command("get", "One policy with its rules.") { policy }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.GetPolicyRequest { Name = session.NameOf(PolicyColumns.Collection, parsed.GetRequiredValue(policy)) };
            await session.Output.ShowAsync(
                await PolicyColumns.Client(session).GetPolicyAsync(request, cancellationToken: cancellationToken));
        });
    }
}
