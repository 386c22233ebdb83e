using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Grains.Devices;

/// <summary>
/// The way back of a rollout: which image that is stands in this device's record alone, and what it is and whether it may be used in the
/// catalogue. Its revocation meanwhile fences the offer, as that of any image.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>An offer of the image that the device ran before; null on the way there, and when there is no published one.</summary>
    private async Task<ChangeOffer?> FindPreviousAsync(OfferChange command)
    {
        if (!WayBack.Is(command.Retry)
            || Current is not { } device
            || !ImageDigest.TryParse(WayBack.Find(device, command.Rollout, command.Target.Digest, command.Path).Digest, out var digest))
        {
            return null;
        }

        var (image, _) = await GrainFactory.GetImage(_tenant, digest).GetAsync();
        if (image is null || ImageLifecycle.CheckUse(image) is not null)
        {
            return null;
        }

        var target = new OsTarget(digest.Value, image.Manifest.Version, image.Manifest.SizeBytes, image.Signature);
        return new ChangeOffer(command.Rollout, command.Epoch, target, image.Manifest.Track.Value, image.Manifest.Models)
        {
            Conditions = image.Manifest.Release.Conditions,
            Retry = command.Retry,
        };
    }

    private OfferDecision Decide(
        Device device, ChangeOffer offer, ChangeOffer? previous, bool hasSession, DateTimeOffset now) => WayBack.Is(offer.Retry)
            ? DeviceChanges.OfferWayBack(device, offer, previous, hasSession, now)
            : DeviceChanges.Offer(device, offer, _handover, hasSession, now);
}
