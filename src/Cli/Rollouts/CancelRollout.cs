using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class CancelRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var reason = VerbOptions.Reason("For the log of decisions.");
        return new Command("cancel", "Offers nothing more; devices in progress are asked to give up, and may go on.") { rollout, reason }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.CancelRolloutRequest
                {
                    Name = RolloutColumns.NameOf(session, parsed, rollout),
                    Reason = parsed.GetRequiredValue(reason),
                };
                await session.Output.ShowAsync(
                    await RolloutColumns.Client(session).CancelRolloutAsync(request, cancellationToken: cancellationToken));
            });
    }
}
