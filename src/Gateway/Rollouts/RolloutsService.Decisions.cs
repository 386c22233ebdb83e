using Grpc.Core;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>The stream of decisions.</summary>
internal sealed partial class RolloutsService
{
    public override async Task WatchRolloutDecisions(
        V1.WatchRolloutDecisionsRequest request,
        IServerStreamWriter<V1.WatchRolloutDecisionsResponse> responseStream,
        ServerCallContext context)
    {
        using var slot = slots.Take(Caller.Of(context));
        var from = DecisionTokens.Read(request.Parent, request.ResumeToken);
        var isOfAll = ResourceNames.TryParseParent(request.Parent, out var tenant);
        var news = isOfAll
            ? decisions.OfAllAsync(tenant, from, context.CancellationToken)
            : OfOne();
        await foreach (var one in news)
        {
            var response = new V1.WatchRolloutDecisionsResponse
            {
                CaughtUp = one.Decision is null,
                ResumeToken = one.Point is { } point ? DecisionTokens.Create(request.Parent, point) : "",
            };
            if (one.Decision is { } told)
            {
                response.Rollout = ResourceNames.Of(tenant, RolloutsMapping.Collection, told.Rollout.Value);
                response.Decision = RolloutsMapping.ToApi(told.Decision, told.Number);
                response.Forgotten = told.Forgotten;
            }

            await responseStream.WriteAsync(response, context.CancellationToken);
        }

        IAsyncEnumerable<DecisionNews> OfOne()
        {
            (tenant, var id) = ResourceNames.ResourceOf(request.Parent, RolloutsMapping.Collection);
            return decisions.OfOneAsync(tenant, id, from, context.CancellationToken);
        }
    }
}
