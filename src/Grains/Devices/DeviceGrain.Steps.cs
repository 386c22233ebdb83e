using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Grains.Devices;

/// <summary>
/// The steps to an image: which one is next stands in this device's record alone, and its file and whether it may be used in the catalogue.
/// Its revocation meanwhile fences the offer, as that of any image.
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>The order with the image of the device's next step; as it is where there is none, or no published one.</summary>
    private async Task<ChangeOffer> WithStepAsync(OfferChange command)
    {
        var offer = OfferOf(command);
        if (Current is not { } device
            || StepPath.Find(device, offer) is not { } step
            || !ImageDigest.TryParse(step.Digest, out var digest))
        {
            return offer;
        }

        var (image, _) = await GrainFactory.GetImage(_tenant, digest).GetAsync();
        return image is null || ImageLifecycle.CheckUse(image) is not null ? offer : offer with
        {
            Step = new StepOffer(
                new OsTarget(digest.Value, image.Manifest.Version, image.Manifest.SizeBytes, image.Signature),
                image.Manifest.Track.Value,
                image.Manifest.Release.Conditions),
        };
    }
}
