using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class RollBackRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var reason = VerbOptions.Reason("For the log of decisions.");
        return new Command(
            "roll-back",
            "Offers the devices that were offered the image what they ran before, the last wave first."
                + " Where rollouts need approvals and this one was not approved with --failure-action roll-back,"
                + " you have to be an approver as well as an operator, and none of its authors.")
        {
            rollout, reason,
        }.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.RollBackRolloutRequest
            {
                Name = RolloutColumns.NameOf(session, parsed, rollout),
                Reason = parsed.GetRequiredValue(reason),
            };
            await session.Output.ShowAsync(
                await RolloutColumns.Client(session).RollBackRolloutAsync(request, cancellationToken: cancellationToken));
        });
    }
}
