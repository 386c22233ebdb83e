using Grpc.Core;
using Muster.Protocol.V1;

namespace Muster.Simulator.Demo;

/// <summary>
/// The job from delivery list to tombstone, driven through the public API of an installation that runs: every wait is bounded, and
/// what was missed is a violation.
/// </summary>
internal sealed class Scenario(ScenarioPlan plan, Installation site, Findings findings, IStage stage, TimeProvider time)
{
    /// <param name="tally">What is counted on the way; filled as far as the run came.</param>
    /// <param name="deliveryListed">Called when the devices are expected: a fleet that starts then enrols at once.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    public async Task RunAsync(Tally tally, Func<Task> deliveryListed, CancellationToken cancellationToken)
    {
        var step = "operators";
        try
        {
            using var administrator = OperatorClient.Open(site.Api, site.ProfileFolder);
            using var requester = await administrator.InviteAsync(
                site.Api, "bert", [OperatorRole.Operator, OperatorRole.Approver], cancellationToken);
            using var approver = await administrator.InviteAsync(site.Api, "anna", [OperatorRole.Approver], cancellationToken);
            var ground = new Ground(plan, site, new FleetWitness(site.FleetLog), stage, findings)
            {
                Requester = requester,
                Approver = approver,
                Pace = new Pace(plan.Patience, plan.Devices, time),
                Tally = tally,
                Time = time,
            };
            foreach (var (name, run) in StepsOn(ground, deliveryListed))
            {
                step = name;
                await run(cancellationToken);
            }
        }
        catch (RpcException refusal)
        {
            var reason = OperatorClient.ReasonOf(refusal);
            findings.Add(step, $"the API refused: {(reason.Length > 0 ? reason : refusal.StatusCode)}: {refusal.Status.Detail}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            findings.Add(step, "a call of the API was not answered in time");
        }
        catch (DemoFaultException fault)
        {
            findings.Add(fault.Check, fault.Message);
        }
    }

    private static (string Name, Func<CancellationToken, Task> Run)[] StepsOn(Ground ground, Func<Task> deliveryListed)
    {
        var updates = new UpdateSteps(ground);
        return
        [
            (EnrolmentSteps.Name, new EnrolmentSteps(ground, deliveryListed).RunAsync),
            (UpdateSteps.PolicyName, updates.PrepareAsync),
            (UpdateSteps.RolloutName, updates.RollOutAsync),
            (SettingsSteps.Name, new SettingsSteps(ground).RunAsync),
            (WarrantySteps.Name, new WarrantySteps(ground).RunAsync),
            (RetirementSteps.Name, new RetirementSteps(ground).RunAsync),
        ];
    }
}
