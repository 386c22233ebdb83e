using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The log of decisions, for readers that follow it.</summary>
internal sealed partial class RolloutGrain
{
    // Interleaves as a read of the rollout does, and tells what is committed: a plan that is not has no new decision.
    public Task<DecisionReply> GetDecisionsAsync(DecisionMark after) => Task.FromResult(
        (_beforeCommit ?? Reply()) is { Rollout.Plan: { } plan }
            ? new DecisionReply(DecisionLog.ReadAfter(plan, after), null)
            : new DecisionReply(null, RolloutErrors.NotFound(_id.Value)));
}
