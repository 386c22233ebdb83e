using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class ApproveRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var etag = RolloutColumns.Etag("The etag of the rollout as you have read it. Default: as it is now.");
        return new Command("approve", "Approves a draft (role approver, never an author); with the last approval needed it can be started.")
        {
            rollout, etag,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var client = RolloutColumns.Client(session);
                var name = RolloutColumns.NameOf(session, parsed, rollout);
                var seen = parsed.GetValue(etag)
                    ?? (await client.GetRolloutAsync(new V1.GetRolloutRequest { Name = name }, cancellationToken: cancellationToken)).Etag;
                var request = new V1.ApproveRolloutRequest { Name = name, Etag = seen };
                await session.Output.ShowAsync(await client.ApproveRolloutAsync(request, cancellationToken: cancellationToken));
            });
    }
}
