using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>What a share offers: the one place where it matters what the change consists of.</summary>
internal sealed partial class RolloutPartitionGrain
{
    private OfferChange OfferOf(RolloutImage? image, SettingSet? settings, bool allowTrackChange, long epoch, int retry) =>
        (image, settings) switch
        {
            ({ } os, null) => new OfferChange(_rollout, epoch, os.Target, os.Track, os.Models, allowTrackChange)
            {
                Conditions = os.Conditions,
                Retry = retry,
            },
            (null, { } wanted) => new OfferChange(_rollout, epoch, OsTarget.None, "", [], AllowTrackChange: false)
            {
                Settings = wanted,
                Retry = retry,
            },
            _ => throw new InvalidOperationException($"Rollout '{_rollout}' offers not exactly one of an image and settings."),
        };
}
