using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class PauseRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var reason = VerbOptions.Reason("For the log of decisions.");
        return new Command("pause", "No further device is offered anything once this has returned.") { rollout, reason }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.PauseRolloutRequest
                {
                    Name = RolloutColumns.NameOf(session, parsed, rollout),
                    Reason = parsed.GetRequiredValue(reason),
                };
                await session.Output.ShowAsync(
                    await RolloutColumns.Client(session).PauseRolloutAsync(request, cancellationToken: cancellationToken));
            });
    }
}
