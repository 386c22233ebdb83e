using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class ApproveWave
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var wave = RolloutColumns.Wave();
        var etag = RolloutColumns.Etag("The approval_etag of the wave as you have read it. Default: as it is now.");
        return new Command("approve-wave", "Lets a wave that waits for an approver pass (role approver, never an author of the rollout).")
        {
            rollout, wave, etag,
        }
            .Calls(async (session, parsed, cancellationToken) =>
            {
                var client = RolloutColumns.Client(session);
                var name = RolloutColumns.NameOf(session, parsed, rollout);
                var index = parsed.GetRequiredValue(wave);
                var seen = parsed.GetValue(etag) ?? EtagOf(
                    await client.GetRolloutAsync(new V1.GetRolloutRequest { Name = name }, cancellationToken: cancellationToken),
                    index);
                var request = new V1.ApproveWaveRequest { Name = name, Wave = index, Etag = seen };
                await session.Output.ShowAsync(await client.ApproveWaveAsync(request, cancellationToken: cancellationToken));
            });
    }

    // Of a wave that waits for nobody there is none; the server says how it is.
    private static string EtagOf(V1.Rollout rollout, int wave) =>
        rollout.WaveStatus.FirstOrDefault(status => status.Index == wave)?.ApprovalEtag ?? "";
}
