using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The share of a rollout that is cancelled or aborted.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>
    /// Whose devices were asked whether a connection has got their offer: a device that says so once does not say otherwise later. One
    /// whose message comes back afterwards gives the offer back itself, within its minute.
    /// </summary>
    private HashSet<int>? _cancelled;

    /// <summary>What the device has not named is asked about once (rollouts.md 21).</summary>
    private bool IsCancelled(OpenOffer offer, AdvanceShare command) =>
        command.IsCancelling && offer.DeliveredAt is null && _cancelled?.Contains(offer.Member) != true;

    private void RememberCancelled(OpenOffer offer, AdvanceShare command)
    {
        if (command.IsCancelling && offer.IsConfirmed)
        {
            (_cancelled ??= []).Add(offer.Member);
        }
    }
}
