using Muster.Domain.Images;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Devices;

/// <summary>
/// What an image asks of a device: the one place that says whom it is for, for offers and for dry runs (rollouts.md 23 and 24).
/// </summary>
/// <param name="Target">The image that is offered.</param>
/// <param name="Track">The track that a device has to be on; null for any.</param>
/// <param name="Models">Models that it is for; empty for all.</param>
/// <param name="Conditions">What it can be installed over.</param>
[GenerateSerializer, Immutable, Alias("muster.image-needs")]
public sealed record ImageNeeds(
    [property: Id(0)] OsTarget Target,
    [property: Id(1)] string? Track,
    [property: Id(2)] ImmutableArray<string> Models,
    [property: Id(3)] ImageConditions Conditions)
{
    /// <summary>Images that take devices over the steps that this one asks for; none when nobody is taken.</summary>
    [Id(125)] public ImmutableArray<StepImage> Path { get; init; } = [];

    /// <summary>It takes no device back that runs a newer version: nobody has approved that.</summary>
    [Id(182)] public bool KeepsNewer { get; init; }

    /// <summary>Why the image is not for the device, a name of <c>muster.v1.ErrorReason</c>, whatever it waits for; or null.</summary>
    public string? FindObstacle(ImageSituation device) => this switch
    {
        _ when !Models.IsDefaultOrEmpty && !Models.Contains(device.Model) => "MODEL_NOT_COMPATIBLE",
        _ when Track is not null && Track != device.Track => "TRACK_MISMATCH",
        _ when !EnrollmentRules.IsAtLeast(Target.Version, device.OsFloor) => "OS_BELOW_FLOOR",
        _ when device.ImageDigest == Target.Digest => "ALREADY_RUNNING_TARGET",
        _ when KeepsNewer && ApprovalPolicy.IsDowngrade(device.OsVersion, Target.Version) => RolloutErrors.DowngradeNotApprovedReason,
        _ => Conditions.FindObstacle(device.OsVersion),
    };

    /// <summary>
    /// The image of the first step that the device has not passed, when steps alone are between it and this image and there is a way to it:
    /// for each of them an image that can be installed over the one before, and this one over the last. Nobody is left half way. The way
    /// may begin below the lowest version that this one can be installed over. Null otherwise.
    /// </summary>
    public StepImage? FindStep(ImageSituation device) => FindWay(device).First;

    /// <summary>How many steps are on that way; 0 where there is none, or none is needed.</summary>
    public int CountSteps(ImageSituation device) => FindWay(device).Steps;

    private (StepImage? First, int Steps) FindWay(ImageSituation device)
    {
        if (Path.IsDefaultOrEmpty)
        {
            return (null, 0);
        }

        var (first, there, steps) = ((StepImage?)null, device, 0);
        for (; steps < Conditions.Steps.Length && IsLeftToSteps(there); steps++)
        {
            var version = Conditions.Steps[Conditions.StepsPassed(there.OsVersion)];
            if (Path.FirstOrDefault(image => image.IsOf(version) && NeedsOf(image).FindObstacle(there) is null) is not { } next)
            {
                return (null, 0);
            }

            first ??= next;
            there = Over(next, there);
        }

        return FindObstacle(there) is null ? (first, steps) : (null, 0);
    }

    /// <summary>Nothing keeps the device from this image that a step could not change, and there is one that it has not passed.</summary>
    private bool IsLeftToSteps(ImageSituation device) =>
        FindObstacle(device) is { } reason
        && ImageConditions.MayStepsHelp(reason)
        && OsVersion.TryParse(device.OsVersion, out _)
        && Conditions.StepsPassed(device.OsVersion) < Conditions.Steps.Length;

    /// <summary>The device when it has taken the step.</summary>
    private static ImageSituation Over(StepImage step, ImageSituation device) => device with
    {
        Track = step.Track,
        OsFloor = ImageConditions.RaiseFloor(device.OsFloor, step.Conditions.SecurityFloor),
        ImageDigest = step.Digest,
        OsVersion = step.Version,
    };

    private ImageNeeds NeedsOf(StepImage image) => new(
        new OsTarget(image.Digest, image.Version, 0, []), Track is null ? null : image.Track, image.Models, image.Conditions);
}

/// <summary>What of a device matters to an image.</summary>
/// <param name="Model">Its model.</param>
/// <param name="Track">The track that it is on.</param>
/// <param name="OsFloor">The version that it never goes below; empty for none.</param>
/// <param name="ImageDigest">What it runs; empty when it has not said.</param>
/// <param name="OsVersion">The version of that.</param>
public readonly record struct ImageSituation(string Model, string Track, string OsFloor, string ImageDigest, string OsVersion);
