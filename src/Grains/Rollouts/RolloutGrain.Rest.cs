using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>What a coordinator asks about the rollout whose rest it retries, and what it leaves for one that retries its own.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>
    /// The rollout that this one retries, null for none; or why it cannot be retried. It has ended, and calls nobody that could wait for
    /// this one.
    /// </summary>
    private async Task<(Rollout? Retried, FleetError? Error)> FindRetriedAsync(RolloutSpec spec)
    {
        if (spec.RetryOf is not { } id)
        {
            return (null, null);
        }

        var reply = await GrainFactory.GetRollout(_tenant, id).GetAsync();
        return reply.Rollout is { } retried ? (retried, RestRules.Check(retried, spec)) : (null, reply.Error);
    }

    /// <summary>Before anything is frozen: null when there is somebody to retry, or when it retries nobody.</summary>
    private async Task<FleetError?> CheckRestAsync(Rollout draft, Rollout? retried) => retried is null
        ? null
        : RefusalOf(draft, retried, await FreezeOf(draft, retried).CountAsync());

    private static FleetError? RefusalOf(Rollout draft, Rollout retried, ImmutableArray<ImageCount>? images) => images switch
    {
        null => RolloutErrors.MembersUnknown(retried.Id.Value),
        { } counts when counts.Any(image => image.Devices > 0) => null,
        _ => RolloutErrors.NothingToRetry(retried.Id.Value, draft.Spec.Filter),
    };

    /// <summary>
    /// Before the end is committed, while the feeds still wait for the shares: what they know is in memory alone until then, and nobody
    /// looks after a rollout that is over. Nothing is decided meanwhile, and a share that cannot store it keeps the rollout from its end.
    /// </summary>
    private async Task SettleSharesAsync(Rollout ending)
    {
        var command = new SettleShare(ending.Freeze, [.. ending.Plan.Waves.Select(wave => wave.Cut)], ending.Spec.Retries);
        foreach (var chunk in ending.Plan.Shares.Chunk(RolloutFreeze.FanOutMax))
        {
            await Task.WhenAll(chunk.Select(share => SettleAsync(share.Partition, command)));
        }
    }

    private async Task SettleAsync(int partition, SettleShare command)
    {
        try
        {
            await GrainFactory.GetRolloutPartition(_tenant, _id, partition).SettleAsync(command);
        }
        catch
        {
            // It may have to ask devices first, which it does when it is asked itself.
            _round?.AskAgain(partition);
            throw;
        }
    }
}
