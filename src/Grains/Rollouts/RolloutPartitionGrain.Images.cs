using Microsoft.Extensions.Logging;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Domain.Images;
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

    /// <summary>Who did not say his image is asked for it again so much later: his record may be unreadable for days.</summary>
    private static readonly TimeSpan SilenceInterval = TimeSpan.FromMinutes(1);

    /// <summary>
    /// By member, the offer and its image. Volatile: after a reactivation each device that has not named its offer is asked once.
    /// </summary>
    private readonly Dictionary<int, (long Generation, string Digest)> _previous = [];

    /// <summary>By member, when he was asked and did not answer.</summary>
    private readonly Dictionary<int, long> _silentSince = [];

    private readonly HashSet<string> _revoked = [];
    private long? _imagesCheckedAt;

    /// <summary>It is not known which image the device was offered.</summary>
    private bool IsOfUnknownImage(OpenOffer offer) =>
        IsTakenBackByImage(offer)
        && offer.IsConfirmed
        && PreviousOf(offer) is null
        && !(_silentSince.TryGetValue(offer.Member, out var since) && _clock.GetElapsedTime(since) < SilenceInterval);

    private bool IsOfRevokedImage(OpenOffer offer) =>
        IsTakenBackByImage(offer) && PreviousOf(offer) is { } digest && _revoked.Contains(digest);

    /// <summary>
    /// A device that has named its offer is left to finish. On the way there nobody is asked before a step is revoked.
    /// </summary>
    private bool IsTakenBackByImage(OpenOffer offer) =>
        offer.DeliveredAt is null
        && (RollBackRules.HasBegun(_share!) ? !RollBackRules.IsOnTheWayThere(_share!, offer.Member) : _revoked.Count > 0);

    private string? PreviousOf(OpenOffer offer) =>
        _previous.TryGetValue(offer.Member, out var known) && (known.Generation == offer.Generation || known.Generation == 0)
            ? known.Digest
            : null;

    private void NoteSilence(OpenOffer offer)
    {
        if (IsTakenBackByImage(offer))
        {
            _silentSince[offer.Member] = _clock.GetTimestamp();
        }
    }

    private void RememberImage(OpenOffer offer, OfferReply reply)
    {
        if (IsTakenBackByImage(offer))
        {
            // A silo of an earlier version does not say it, and is not asked again.
            _previous[offer.Member] = (reply.Generation, reply.ChosenDigest ?? "");
            _silentSince.Remove(offer.Member);
        }
    }

    /// <summary>
    /// What is revoked stays so, and is asked about no more. Before the feed is read: nobody waits for images with what it said.
    /// </summary>
    private async Task CheckImagesAsync()
    {
        if (_previous.Count == 0 || (_imagesCheckedAt is { } checkedAt && _clock.GetElapsedTime(checkedAt) < ImageCheckInterval))
        {
            return;
        }

        _imagesCheckedAt = _clock.GetTimestamp();
        var open = _share!.Open.Where(IsTakenBackByImage).Select(offer => offer.Member).ToHashSet();
        foreach (var member in _previous.Keys.Where(member => !open.Contains(member)).ToArray())
        {
            _previous.Remove(member);
        }

        if (!RollBackRules.HasBegun(_share!))
        {
            return; // of steps the coordinator says it
        }

        var digests = _previous.Values.Select(known => known.Digest).Distinct().Where(digest => !_revoked.Contains(digest));
        foreach (var chunk in digests.ToArray().Chunk(ImagesAskedMax))
        {
            await Task.WhenAll(chunk.Select(CheckImageAsync));
        }
    }

    private async Task CheckImageAsync(string text)
    {
        try
        {
            if (ImageDigest.TryParse(text, out var digest)
                && await GrainFactory.GetImage(_tenant, digest).CheckUseAsync() is { Reason: ImageErrors.RevokedReason })
            {
                _revoked.Add(text);
            }
        }
        catch (Exception fault)
        {
            // The way back goes on with the other images, and this one is asked about again.
            LogImageUnknown(fault, _rollout.Value, text);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: whether image {Digest} is revoked is not known")]
    private partial void LogImageUnknown(Exception fault, string rolloutId, string digest);
}
