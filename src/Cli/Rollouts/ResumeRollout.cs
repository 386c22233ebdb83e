using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class ResumeRollout
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var accept = new Option<bool>("--override") { Description = "Accept what the gates stopped; needs a reason." };
        var reason = VerbOptions.Reason("Why; for the log of decisions.");
        return new Command("resume", "Goes on; the gates are evaluated first.") { rollout, accept, reason }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var request = new V1.ResumeRolloutRequest
                {
                    Name = RolloutColumns.NameOf(session, parsed, rollout),
                    Override = parsed.GetValue(accept),
                    Reason = parsed.GetRequiredValue(reason),
                };
                await session.Output.ShowAsync(
                    await RolloutColumns.Client(session).ResumeRolloutAsync(request, cancellationToken: cancellationToken));
            });
    }
}
