using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class GetRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        return new Command("get", "One rollout with its waves and decisions.") { rollout }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.GetRolloutRequest { Name = RolloutColumns.NameOf(session, parsed, rollout) };
                var answer = await RolloutColumns.Client(session).GetRolloutAsync(request, cancellationToken: cancellationToken);
                if (!session.Output.IsJson)
                {
                    // A hundred points are no lines for people: burn-up draws them.
                    answer.BurnUp = null;
                }

                await StrataTable.ShowAsync(session, answer);
            });
    }
}
