using Grpc.Core;
using Microsoft.Extensions.Options;
using Muster.Contracts;
using Muster.Contracts.Rollouts;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Muster.Gateway.Grpc;
using Muster.Gateway.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>The rollouts of the API.</summary>
internal sealed partial class RolloutsService(
    IGrainFactory grains,
    RowLister lister,
    WatchSlots slots,
    RolloutSimulations simulations,
    RolloutEstimates estimates,
    DecisionWatch decisions,
    IOptions<OperatorsOptions> options,
    TimeProvider clock)
    : V1.Rollouts.RolloutsBase
{
    public override async Task<V1.Rollout> GetRollout(V1.GetRolloutRequest request, ServerCallContext context) =>
        await AnswerWithEstimateAsync(await GrainOf(request.Name).GetAsync(), context.CancellationToken);

    public override async Task<V1.ListRolloutsResponse> ListRollouts(V1.ListRolloutsRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Rollout, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var response = new V1.ListRolloutsResponse { NextPageToken = page.NextPageToken };
        response.Rollouts.AddRange(page.Rows.Select(row => RolloutsMapping.ToApi((RolloutRow)row.Row)));
        return response;
    }

    public override async Task<V1.Rollout> CreateRollout(V1.CreateRolloutRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ResourceId.TryParse(request.RolloutId, out var parsed) ? parsed : throw new FormatException(request.RolloutId);
        var spec = RolloutsMapping.ToSpec(id, request.Rollout);
        var command = new CreateRollout(Caller.Of(context).Actor, request.RequestId, spec, request.ValidateOnly)
        {
            Strategy = StrategyNames.ChoiceOf(request.Rollout.Strategy),
        };
        var reply = await grains.GetRollout(tenant, id).CreateAsync(command);
        if (reply is { Error: null, Rollout: null })
        {
            // Nothing was created: the caller's own words, and how many devices match.
            var preview = request.Rollout.Clone();
            preview.Name = ResourceNames.Of(tenant, RolloutsMapping.Collection, id.Value);
            return RolloutsMapping.WithPlan(tenant, preview, reply);
        }

        return await AnswerCreationAsync(tenant, reply, request.ValidateOnly, context.CancellationToken);
    }

    public override async Task<V1.Rollout> StartRollout(V1.StartRolloutRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).StartAsync(new OrderRollout(Caller.Of(context).Actor, "")));

    public override async Task<V1.Rollout> PauseRollout(V1.PauseRolloutRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).PauseAsync(new OrderRollout(Caller.Of(context).Actor, request.Reason)));

    public override async Task<V1.Rollout> ResumeRollout(V1.ResumeRolloutRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).ResumeAsync(
            new ResumeRollout(caller.Actor, request.Override, request.Reason) { Roles = caller.Roles }));
    }

    public override async Task<V1.Rollout> CancelRollout(V1.CancelRolloutRequest request, ServerCallContext context) =>
        Answer(await GrainOf(request.Name).CancelAsync(new OrderRollout(Caller.Of(context).Actor, request.Reason)));

    public override async Task<V1.Rollout> RollBackRollout(V1.RollBackRolloutRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).RollBackAsync(new RollBackRollout(caller.Actor, caller.Roles, request.Reason)));
    }

    public override async Task<V1.Rollout> UpdateRollout(V1.UpdateRolloutRequest request, ServerCallContext context)
    {
        var (_, id) = ResourceNames.ResourceOf(request.Rollout.Name, RolloutsMapping.Collection);
        return Answer(await GrainOf(request.Rollout.Name).UpdateAsync(new UpdateRollout(
            Caller.Of(context).Actor, RolloutsMapping.ToSpec(id, request.Rollout), request.Rollout.Etag)
        {
            Strategy = StrategyNames.ChoiceOf(request.Rollout.Strategy),
            KeepsSeed = !request.Rollout.HasSeed,
        }));
    }

    public override async Task<V1.Rollout> ApproveRollout(V1.ApproveRolloutRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).ApproveAsync(new ApproveRollout(caller.Actor, caller.Roles, request.Etag)));
    }

    public override async Task<V1.Rollout> ApproveWave(V1.ApproveWaveRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        return Answer(await GrainOf(request.Name).ApproveWaveAsync(
            new ApproveWave(caller.Actor, caller.Roles, request.Wave, request.Etag)));
    }

    public override async Task<V1.WaveExplanation> ExplainWave(V1.ExplainWaveRequest request, ServerCallContext context)
    {
        var reply = await GrainOf(request.Name).GetAsync();
        var rollout = reply.Error is null ? reply.Rollout! : throw FleetErrors.ToRpcException(reply.Error);
        var explanation = WaveExplanation.Of(rollout, reply.Waves, request.Wave, reply.ApprovalsNeeded)
            ?? throw FleetErrors.ToRpcException(RolloutErrors.WaveNotFound(rollout.Id.Value, request.Wave));
        return RolloutsMapping.ToApi(rollout, explanation);
    }

    public override async Task WatchRollout(
        V1.WatchRolloutRequest request, IServerStreamWriter<V1.Rollout> responseStream, ServerCallContext context)
    {
        using var slot = slots.Take(Caller.Of(context));
        var grain = GrainOf(request.Name);
        V1.Rollout? sent = null;
        while (true)
        {
            var reply = await grain.GetAsync();
            var rollout = await AnswerWithEstimateAsync(reply, context.CancellationToken);
            if (IsNews(rollout, sent))
            {
                await responseStream.WriteAsync(rollout, context.CancellationToken);
                sent = rollout;
            }

            if (reply.Rollout!.Plan.IsTerminal)
            {
                return;
            }

            await Task.Delay(options.Value.RolloutWatchInterval, clock, context.CancellationToken);
        }
    }

    public override async Task<V1.SimulateRolloutResponse> SimulateRollout(
        V1.SimulateRolloutRequest request, ServerCallContext context)
    {
        if (StrategyNames.ChoiceOf(request.Rollout.Strategy) is { } choice)
        {
            var tenant = ResourceNames.ParentOf(request.Parent);
            var (version, error) = await grains.GetStrategySet(tenant).GetAsync(choice);
            request.Rollout = version is null
                ? throw FleetErrors.ToRpcException(error ?? StrategyErrors.NotFound(choice.Strategy))
                : RolloutsMapping.ToApi(tenant, version.Spec.Course);
        }

        return await simulations.RunAsync(request, context.CancellationToken);
    }

    private async ValueTask<V1.Rollout> AnswerWithEstimateAsync(RolloutReply reply, CancellationToken cancellationToken)
    {
        var rollout = Answer(reply);
        rollout.Estimate = RolloutsMapping.ToApi(await estimates.OfAsync(reply.Rollout!, cancellationToken));
        return rollout;
    }

    /// <summary>The sentence of an estimate has numbers that go on by themselves: it alone is no news.</summary>
    private static bool IsNews(V1.Rollout rollout, V1.Rollout? sent)
    {
        if (sent is null)
        {
            return true;
        }

        var text = rollout.Estimate.Text;
        rollout.Estimate.Text = sent.Estimate.Text;
        var isNews = !rollout.Equals(sent);
        rollout.Estimate.Text = text;
        return isNews;
    }

    private async ValueTask<V1.Rollout> AnswerCreationAsync(
        TenantId tenant, RolloutReply reply, bool validateOnly, CancellationToken cancellationToken)
    {
        var rollout = Answer(reply);
        if (!validateOnly)
        {
            return rollout;
        }

        if (RolloutEstimator.StartOf(reply.Rollout!, reply.Planned, clock.GetUtcNow()) is { } started)
        {
            rollout.Estimate = RolloutsMapping.ToApi(await estimates.OfAsync(started, cancellationToken));
            rollout.Estimate.Text = $"if it is started now: {rollout.Estimate.Text}";
        }

        return RolloutsMapping.WithPlan(tenant, rollout, reply);
    }

    private static V1.Rollout Answer(RolloutReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Rollout: { } rollout } => RolloutsMapping.ToApi(rollout, reply.Waves, reply.ApprovalsNeeded),
        _ => throw new InvalidOperationException("Neither a rollout nor an error."),
    };

    private IRolloutGrain GrainOf(string name)
    {
        var (tenant, id) = ResourceNames.ResourceOf(name, RolloutsMapping.Collection);
        return grains.GetRollout(tenant, id);
    }
}
