using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>What a coordinator asks about before it offers: the one place where it matters what the change consists of.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>The image as it is in the catalogue now; none for settings. Or why the change cannot be offered.</summary>
    private Task<(RolloutImage? Image, FleetError? Error)> FindChangeAsync(RolloutSpec spec) => spec.Kind switch
    {
        ChangeKind.OsImage => FindImageAsync(spec.ImageDigest),
        ChangeKind.Settings => Task.FromResult<(RolloutImage?, FleetError?)>((null, null)),
        _ => throw new UnreachableException($"Rollout '{_id}' changes {spec.Kind}."),
    };

    /// <summary>Why what was found once cannot be offered any more; null while it can.</summary>
    private Task<FleetError?> CheckChangeAsync(Rollout rollout) => rollout.Spec.Kind switch
    {
        ChangeKind.OsImage => CheckImageAsync(rollout),
        ChangeKind.Settings => Task.FromResult<FleetError?>(null),
        _ => throw new UnreachableException($"Rollout '{_id}' changes {rollout.Spec.Kind}."),
    };
}
