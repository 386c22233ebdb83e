using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>
/// The path of a rollout that takes its steps (rollouts.md 23): chosen when the rollout is ordered, so that what is offered is what was
/// approved.
/// </summary>
public static class RolloutPath
{
    /// <summary>
    /// For each step the images that together serve as many of the image's models as published ones can: those of its own track first, then
    /// by digest. Where the rollout changes no tracks, of its own track alone. What can be installed over other versions serves others.
    /// </summary>
    /// <param name="image">The rollout's.</param>
    /// <param name="allowTrackChange">Whether the rollout may move a device to another track.</param>
    /// <param name="published">What may be used now.</param>
    public static ImmutableArray<StepImage> Choose(RolloutImage image, bool allowTrackChange, IEnumerable<StepImage> published)
    {
        ArgumentNullException.ThrowIfNull(image);
        StepImage[] usable =
        [
            .. published.Where(step => allowTrackChange || step.Track == image.Track)
                .OrderBy(step => step.Track == image.Track ? 0 : 1)
                .ThenBy(step => step.Digest, StringComparer.Ordinal),
        ];
        var path = ImmutableArray.CreateBuilder<StepImage>();
        foreach (var version in (image.Conditions ?? ImageConditions.None).Steps)
        {
            var served = new HashSet<(string Model, string MinFrom, string Steps)>();
            path.AddRange(usable.Where(step => step.IsOf(version) && Adds(served, step, image)));
        }

        return path.ToImmutable();
    }

    internal static void Check(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.TakeSteps && spec.Kind != ChangeKind.OsImage)
        {
            problems.Add(new("take_steps", "is for images: settings have no steps"));
        }

        if (!spec.Path.IsDefault && spec.Path.Length > StepImage.PathMax)
        {
            problems.Add(new(
                "take_steps",
                $"finds {spec.Path.Length} images for the steps of this one, and takes at most {StepImage.PathMax}: roll out the first "
                    + "of them before"));
        }
    }

    private static bool Adds(HashSet<(string Model, string MinFrom, string Steps)> served, StepImage step, RolloutImage image)
    {
        var before = served.Count;
        var steps = string.Join(' ', step.Conditions.Steps);
        served.UnionWith(ServedBy(step, image).Select(model => (model, step.Conditions.MinFromVersion, steps)));
        return served.Count > before;
    }

    /// <summary>An image for all models serves those of the other one, or what that is for, if it is for all as well.</summary>
    private static IEnumerable<string> ServedBy(StepImage step, RolloutImage image) => (step.Models, image.Models) switch
    {
        ({ IsDefaultOrEmpty: true }, { IsDefaultOrEmpty: true }) => [""],
        ({ IsDefaultOrEmpty: true }, var models) => models,
        (var models, { IsDefaultOrEmpty: true }) => models,
        var (models, wanted) => models.Intersect(wanted),
    };
}
