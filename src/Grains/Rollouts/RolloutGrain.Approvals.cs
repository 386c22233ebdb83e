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
        _record.State.Rollout is { } rollout ? RolloutApprovals.Settle(rollout, _options.ApprovalsToStart) : null;

    public async Task<RolloutReply> UpdateAsync(UpdateRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var wanted = Committed is { } known ? RestRules.Complete(known.Spec, command.Spec, command.KeepsSeed) : command.Spec;
        var (spec, error) = await CompleteAsync(wanted, command.Strategy);
        error ??= Committed is { Plan.IsDraft: true } draft ? await CheckSitesAsync(draft with { Spec = spec }) : null;
        return error is not null
            ? RolloutReply.Refused(error)
            : await DecideDraftAsync(command.Actor, (rollout, now) => RolloutApprovals.Edit(
                rollout, _options.ApprovalsToStart, new EditOrder(command.Actor, spec, command.Etag, now)));
    }

    public Task<RolloutReply> ApproveAsync(ApproveRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideDraftAsync(command.Actor, (rollout, now) => RolloutApprovals.Approve(
            rollout, _options.ApprovalsToStart, new ApprovalOrder(command.Actor, command.Roles, command.Etag, now)));
    }

    public Task<RolloutReply> ApproveWaveAsync(ApproveWave command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, "", (rollout, order) => RolloutApprovals.ApproveWave(
            rollout, command.Wave, new ApprovalOrder(command.Actor, command.Roles, command.Etag, order.Now)));
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
        };
        var problems = RolloutSpecRules.Validate(spec);
        return (spec, problems.IsEmpty ? null : RolloutErrors.SpecInvalid(problems));
    }
}
