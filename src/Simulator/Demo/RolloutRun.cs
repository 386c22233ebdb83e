using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>A rollout from its order to its end, in two waves, shown as it goes.</summary>
internal sealed class RolloutRun(Ground ground)
{
    /// <param name="id">Its name.</param>
    /// <param name="change">What is changed.</param>
    /// <param name="counted">What is shown beside the waves, and the filter of its devices.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <returns>The rollout as it ended, or as far as it came.</returns>
    public async Task<Rollout> RunAsync(
        string id, Rollout change, (string Name, string Filter) counted, CancellationToken cancellationToken)
    {
        var rollout = await StartAsync(id, change, cancellationToken);
        return await WatchAsync(rollout, counted, cancellationToken);
    }

    private async Task<Rollout> StartAsync(string id, Rollout change, CancellationToken cancellationToken)
    {
        var rollout = new Rollout(change)
        {
            Filter = $"model=\"{Ground.Model}\"",
            FailureGate = new FailureGate { FailureCount = 1 },
            Waves = { new WaveSpec { Percent = 10, ConnectedOnly = false }, new WaveSpec { Percent = 100 } },
        };
        rollout = await ground.Requester.Rollouts.CreateRolloutAsync(
            new CreateRolloutRequest { Parent = Ground.Parent, RolloutId = id, Rollout = rollout, RequestId = $"{id}-rollout" },
            cancellationToken: cancellationToken);
        try
        {
            return await ground.Requester.Rollouts.StartRolloutAsync(
                new StartRolloutRequest { Name = rollout.Name }, cancellationToken: cancellationToken);
        }
        catch (RpcException refusal) when (OperatorClient.ReasonOf(refusal) == "ROLLOUT_STATE_INVALID")
        {
            // The first answer was lost, and the call repeated: it runs.
            return rollout;
        }
    }

    private async Task<Rollout> WatchAsync(
        Rollout rollout, (string Name, string Filter) counted, CancellationToken cancellationToken)
    {
        var decisions = 0;
        await ground.Pace.UntilAsync(
            async () =>
            {
                rollout = await ground.Requester.Rollouts.GetRolloutAsync(
                    new GetRolloutRequest { Name = rollout.Name }, cancellationToken: cancellationToken);
                foreach (var decision in rollout.Decisions.Skip(decisions))
                {
                    ground.Stage.Tell($"{decision.Decision}: {decision.Reason}");
                }

                decisions = rollout.Decisions.Count;
                var count = await ground.Requester.CountAsync(counted.Filter, cancellationToken);
                ground.Stage.Show([.. rollout.WaveStatus.Select(Bar), Stage.Bar(counted.Name, count, ground.Devices)]);
                return rollout.State is RolloutState.Succeeded ? 1 : 0;
            },
            1,
            cancellationToken,
            () => rollout.State is RolloutState.Suspended or RolloutState.Cancelled or RolloutState.Aborted
                or RolloutState.RolledBack);
        ground.Stage.Show([]);
        return rollout;
    }

    private static string Bar(Wave wave) => Stage.Bar(
        $"wave {wave.Index + 1}",
        wave.Succeeded,
        wave.Members,
        $"{(wave.InProgress > 0 ? $"{wave.InProgress} under way " : "")}{(wave.Failed > 0 ? $"{wave.Failed} failed" : "")}");
}
