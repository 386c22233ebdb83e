using Muster.Contracts.Devices;
using Muster.Contracts.Rollouts;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The share of a rollout that is cancelled or aborted.</summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>
    /// Which attempts were asked about: a device takes back what no connection has got, or is asked to give up what it may have, which its
    /// grain repeats until it is answered. One whose message comes back afterwards gives the offer back itself, within its minute.
    /// Volatile: asked again, a device commits nothing more.
    /// </summary>
    private HashSet<(int Member, int Retry)>? _cancelled;

    /// <summary>
    /// Not by an order of the way there that comes late: an attempt of the way back that was given up would never be offered again.
    /// </summary>
    private bool IsCancelling(AdvanceShare command) => command.IsCancelling && command.IsRollingBack == RollBackRules.HasBegun(_share!);

    /// <summary>Each device in progress is asked once (rollouts.md 21).</summary>
    private bool IsCancelled(OpenOffer offer, AdvanceShare command) =>
        IsCancelling(command) && _cancelled?.Contains((offer.Member, ShareRules.RetryOf(_share!, offer.Member))) != true;

    /// <summary>By the attempts that the devices were asked about: before those are adopted that they speak of.</summary>
    private void RememberCancelled(OpenOffer[] asked, OfferReply?[] replies, AdvanceShare command)
    {
        for (var i = 0; IsCancelling(command) && i < asked.Length; i++)
        {
            // Whose offer was to be withdrawn was not asked to give it up: the device may turn out to have named it.
            if (replies[i] is not null && asked[i].IsConfirmed && !IsWithdrawn(asked[i], command))
            {
                (_cancelled ??= []).Add((asked[i].Member, ShareRules.RetryOf(_share!, asked[i].Member)));
            }
        }
    }
}
