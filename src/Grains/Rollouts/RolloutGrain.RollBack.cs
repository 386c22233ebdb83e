using Muster.Contracts.Rollouts;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>The way back; the rules are <see cref="RollBackOrders"/> and, from then on, the planner's.</summary>
internal sealed partial class RolloutGrain
{
    public Task<RolloutReply> RollBackAsync(RollBackRollout command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return DecideAsync(command.Actor, command.Reason, (rollout, order) =>
            RollBackOrders.RollBack(rollout, _options.Approvals.ToRollBack, command.Roles, order));
    }

    /// <summary>
    /// How many devices would be left with the rollout's image: as far as lists tell, for a device's own floor is on its record only.
    /// </summary>
    private async Task<int> CountWithoutWayBackAsync(RolloutSpec spec, ImmutableArray<ImageCount> images)
    {
        if (spec.Kind == ChangeKind.Settings)
        {
            // Nobody keeps what was set before.
            return images.Sum(image => image.Devices);
        }

        var (target, _) = await FindImageAsync(spec.ImageDigest);
        var path = spec.Path.IsDefault ? [] : spec.Path;
        var without = 0;
        foreach (var image in images.Where(image => image.Digest != spec.ImageDigest))
        {
            var (previous, _) = await FindImageAsync(image.Digest);
            without += RollBackOrders.HasWayBack(previous, target, path) ? 0 : image.Devices;
        }

        return without;
    }
}
