using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class StartRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        return new Command("start", "Freezes the members and starts; only from DRAFT.") { rollout }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.StartRolloutRequest { Name = RolloutColumns.NameOf(session, parsed, rollout) };
                await session.Output.ShowAsync(
                    await RolloutColumns.Client(session).StartRolloutAsync(request, cancellationToken: cancellationToken));
            });
    }
}
