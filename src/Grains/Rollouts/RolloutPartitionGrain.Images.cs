using Muster.Contracts.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>
/// The images of steps and of the way back, which are revoked as any other. The coordinator looks after the rollout's own and its steps;
/// which of them a device is offered, and what it ran before, it knows alone, so that the share remembers of its answer what that was.
/// </summary>
internal sealed partial class RolloutPartitionGrain
{
    /// <summary>As often as a coordinator looks at the rollout's own while nothing moves.</summary>
    private static readonly TimeSpan ImageCheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>Images asked at a time: devices of one rollout come from a few.</summary>
    private const int ImagesAskedMax = 16;

    private readonly ChosenImages _chosen;
    private readonly RevokedImages _revoked;
    private long? _imagesCheckedAt;

    /// <summary>It is not known which image the device was offered.</summary>
    private bool IsOfUnknownImage(OpenOffer offer) =>
        IsTakenBackByImage(offer) && offer.IsConfirmed && _chosen.IsAsked(offer);

    private bool IsOfRevokedImage(OpenOffer offer) =>
        IsTakenBackByImage(offer) && _chosen.Find(offer) is { } digest && _revoked.Contains(digest);

    /// <summary>
    /// A device that has named its offer is left to finish. On the way there nobody is asked before a step is revoked.
    /// </summary>
    private bool IsTakenBackByImage(OpenOffer offer) =>
        offer.DeliveredAt is null
        && (RollBackRules.HasBegun(_share!) ? !RollBackRules.IsOnTheWayThere(_share!, offer.Member) : !_revoked.IsEmpty);

    private void NoteSilence(OpenOffer offer)
    {
        if (IsTakenBackByImage(offer))
        {
            _chosen.NoteSilence(offer.Member);
        }
    }

    private void RememberImage(OpenOffer offer, OfferReply reply)
    {
        if (IsTakenBackByImage(offer))
        {
            // A silo of an earlier version does not say it, and is not asked again.
            _chosen.Remember(offer.Member, reply.Generation, reply.ChosenDigest ?? "");
        }
    }

    /// <summary>
    /// What is revoked stays so, and is asked about no more. Before the feed is read: nobody waits for images with what it said.
    /// </summary>
    private async Task CheckImagesAsync()
    {
        if (_chosen.IsEmpty || (_imagesCheckedAt is { } checkedAt && _clock.GetElapsedTime(checkedAt) < ImageCheckInterval))
        {
            return;
        }

        _imagesCheckedAt = _clock.GetTimestamp();
        _chosen.KeepOnly(_share!.Open.Where(IsTakenBackByImage).Select(offer => offer.Member).ToHashSet());
        if (!RollBackRules.HasBegun(_share!))
        {
            return; // which steps are revoked the coordinator says
        }

        foreach (var chunk in _chosen.Digests.Where(digest => !_revoked.Contains(digest)).ToArray().Chunk(ImagesAskedMax))
        {
            await Task.WhenAll(chunk.Select(_revoked.AskAsync));
        }
    }
}
