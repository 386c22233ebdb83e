using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;

namespace Muster.Grains.Rollouts;

/// <summary>Drafts that are edited and approved, and waves that are; the rules are <see cref="RolloutApprovals"/>.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>What is committed; of a draft the state is as the installation asks for approvals now.</summary>
    private Rollout? Committed =>
        _record.State.Rollout is { } rollout ? Settle(rollout) : null;

    private Rollout Settle(Rollout rollout) => RolloutApprovals.Settle(rollout, _options.Approvals.Of(rollout));

    private RolloutFreeze FreezeOf(Rollout rollout, Rollout? retried) =>
        new(GrainFactory, _partitions, rollout, retried, _options.Approvals);

    public async Task<RolloutReply> UpdateAsync(UpdateRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var wanted = Committed is { } known ? RestRules.Complete(known.Spec, command.Spec, command.KeepsSeed) : command.Spec;
        var (spec, error) = await CompleteAsync(wanted, command.Strategy);
        error ??= Committed is { Plan.IsDraft: true } draft ? await CheckSitesAsync(draft with { Spec = spec }) : null;
        if (error is not null)
        {
            return RolloutReply.Refused(error);
        }

        var downgrades = Committed is { Plan.IsDraft: true } edited ? await CountDowngradesAsync(edited with { Spec = spec }) : 0;
        return await DecideDraftAsync(command.Actor, (rollout, now) => RolloutApprovals.Edit(
            rollout with { Downgrades = downgrades },
            _options.Approvals.Of(rollout with { Downgrades = downgrades }),
            new EditOrder(command.Actor, spec, command.Etag, now)));
    }

    public Task<RolloutReply> ApproveAsync(ApproveRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideDraftAsync(command.Actor, (rollout, now) => RolloutApprovals.Approve(
            rollout, _options.Approvals.Of(rollout), new ApprovalOrder(command.Actor, command.Roles, command.Etag, now)));
    }

    public Task<RolloutReply> ApproveWaveAsync(ApproveWave command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, "", (rollout, order) => RolloutApprovals.ApproveWave(
            rollout, command.Wave, new ApprovalOrder(command.Actor, command.Roles, command.Etag, order.Now)));
    }

    /// <summary>
    /// As of now, so that who approves sees at the order what a start will ask for; a start counts those that it freezes. Of a rest only
    /// a start and a dry run do.
    /// </summary>
    private async Task<int> CountDowngradesAsync(Rollout rollout) =>
        _options.Approvals.CountsDowngradesOf(rollout.Spec) && rollout.Spec.RetryOf is null
            ? await FreezeOf(rollout, retried: null).CountDowngradesAsync()
            : 0;

    /// <summary>Null when enough operators have approved what the start found.</summary>
    private async Task<FleetError?> CheckDowngradesAsync(Rollout draft, FrozenMembers frozen, OrderRollout command)
    {
        if (!_options.Approvals.CountsDowngradesOf(draft.Spec))
        {
            return null;
        }

        if (frozen.Downgrades is not { } devices)
        {
            return RolloutErrors.DowngradesUnknown(_id);
        }

        var now = _clock.GetUtcNow();
        var decision = RolloutApprovals.FindDowngrades(
            draft, devices, _options.Approvals, new RolloutOrder(_id, command.Actor, command.Reason, now));
        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(decision.Next, decision.Events, command.Actor, now);
        }

        return decision.Next.Plan.State == RolloutState.AwaitingApproval
            ? RolloutErrors.DowngradeNotApproved(decision.Next, RolloutApprovals.Needed(draft.Spec, _options.Approvals.Of(decision.Next)))
            : null;
    }

    private async Task<RolloutReply> DecideDraftAsync(Actor actor, Func<Rollout, DateTimeOffset, Decision<Rollout>> decide)
    {
        if (Committed is not { } rollout)
        {
            return RolloutReply.Refused(RolloutErrors.NotFound(_id.Value));
        }

        var now = _clock.GetUtcNow();
        var decision = decide(rollout with { Plan = Plan }, now);
        if (decision.Error is { } error)
        {
            return RolloutReply.Refused(error);
        }

        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(decision.Next, decision.Events, actor, now);
        }

        return Reply();
    }

    /// <summary>
    /// The spec with its strategy's course, if it is from one, and with the version of its image, if it has one; or everything that is
    /// wrong with it.
    /// </summary>
    private async Task<(RolloutSpec Spec, FleetError? Error)> CompleteAsync(RolloutSpec ordered, StrategyChoice? strategy)
    {
        var (wanted, error) = await ExpandAsync(ordered, strategy);
        if (error is not null)
        {
            return (wanted, error);
        }

        (var image, error) = await FindChangeAsync(wanted);
        var (retried, unretried) = await FindRetriedAsync(wanted);
        error ??= unretried;
        if (error is not null)
        {
            // Before the rest of the spec: without the image there is no version to judge it by.
            return (wanted, error);
        }

        var spec = wanted with
        {
            TargetVersion = image?.Target.Version ?? wanted.TargetVersion,
            Strategy = wanted.Strategy ?? RestRules.StrategyOf(retried, wanted),
            Path = await FindPathAsync(wanted, image),
        };
        var problems = RolloutSpecRules.Validate(spec);
        return (spec, problems.IsEmpty ? null : RolloutErrors.SpecInvalid(problems));
    }
}
