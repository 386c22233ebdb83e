using System.CommandLine;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Rollouts;

internal static class RetryRest
{
    public static Command Create()
    {
        var rollout = RolloutColumns.Rollout();
        var id = new Option<string>("--new-id") { Description = "The id of the new rollout.", HelpName = "NAME", Required = true };
        var waves = new Option<string[]>("--wave")
        {
            Description = "Other waves, as create takes them; percentages are of the members of the new rollout. Default: the same.",
            HelpName = WaveText.Form,
            DefaultValueFactory = _ => [],
        };
        var command = new Command(
            "retry-rest",
            "Creates a rollout of the rest of one that has ended: of its members that did not succeed, those that are in service and match"
                + " when the new one is started. What is not said here is as it was; with one of the --failure options the gate is new as a"
                + " whole. It is approved and started as any other.")
        {
            rollout, id, waves, CreateRollout.Seed, CreateRollout.ValidateOnly, CreateRollout.RequestId,
        };
        foreach (var option in CreateRollout.Gate)
        {
            command.Add(option);
        }

        return command.Calls(async (session, parsed, cancellationToken) =>
        {
            var request = new V1.RetryRolloutRequest
            {
                Name = RolloutColumns.NameOf(session, parsed, rollout),
                RolloutId = parsed.GetRequiredValue(id),
                RequestId = parsed.RequestIdOf(CreateRollout.RequestId),
                ValidateOnly = parsed.GetValue(CreateRollout.ValidateOnly),
                FailureGate = CreateRollout.Gate.Any(option => parsed.GetResult(option) is { Implicit: false })
                    ? CreateRollout.ReadGate(parsed)
                    : null,
            };
            request.Waves.AddRange(parsed.GetRequiredValue(waves).Select(WaveText.Parse));
            if (parsed.GetValue(CreateRollout.Seed) is { } seed)
            {
                request.Seed = seed;
            }

            await session.Output.ShowAsync(
                await RolloutColumns.Client(session).RetryRolloutAsync(request, cancellationToken: cancellationToken));
        });
    }
}
