using Grpc.Core;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Rollouts of the rest of others.</summary>
internal sealed partial class RolloutsService
{
    public override async Task<V1.Rollout> RetryRollout(V1.RetryRolloutRequest request, ServerCallContext context)
    {
        // A rollout that has ended is never edited: a repeated request orders the same. Of any other the new one's grain says why not.
        var known = await GrainOf(request.Name).GetAsync();
        var retried = known.Error is null ? known.Rollout! : throw FleetErrors.ToRpcException(known.Error);
        var id = ResourceId.TryParse(request.RolloutId, out var parsed) ? parsed : throw new FormatException(request.RolloutId);
        var (spec, problem) = RolloutsMapping.ToSpec(retried, request);
        if (problem is not null)
        {
            throw FleetErrors.ToRpcException(problem);
        }

        var command = new CreateRollout(Caller.Of(context).Actor, request.RequestId, spec, request.ValidateOnly);
        var reply = await grains.GetRollout(retried.Tenant, id).CreateAsync(command);
        return await AnswerCreationAsync(retried.Tenant, reply, request.ValidateOnly, context.CancellationToken);
    }
}
