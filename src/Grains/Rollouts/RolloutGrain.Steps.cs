using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Domain.Images;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;

namespace Muster.Grains.Rollouts;

/// <summary>What a dry run says of members that have to run another version first.</summary>
internal sealed partial class RolloutGrain
{
    /// <summary>Ten thousand images of at most eight versions: more than any maker has models.</summary>
    private const int ImagePagesMax = 10;

    /// <summary>What a device is asked for that the image is offered to; null for settings.</summary>
    private static ImageNeeds? NeedsOf(RolloutSpec spec, RolloutImage? image) => image is null
        ? null
        : new ImageNeeds(
            image.Target, spec.AllowTrackChange ? null : image.Track, image.Models, image.Conditions ?? ImageConditions.None);

    /// <summary>The steps that hold members up, each with the images that would take them over it.</summary>
    private async Task<ImmutableArray<RequiredStep>> FindStepsAsync(RolloutImage? image, FitTally? fit)
    {
        if (image?.Conditions is not { Steps: var versions } || fit is null || fit.BelowStep.All(devices => devices == 0))
        {
            return [];
        }

        RequiredStep[] steps =
        [
            .. versions.Zip(fit.BelowStep).Where(step => step.Second > 0).Select(step => new RequiredStep(step.First, step.Second, [])),
        ];
        await AddImagesAsync(steps, image.Models);
        return [.. steps];
    }

    /// <summary>
    /// Lists answer: what they say is as old as they are, and nothing is offered by it. In the order of the names; what is kept is what is
    /// said, however many images there are.
    /// </summary>
    private async Task AddImagesAsync(RequiredStep[] steps, ImmutableArray<string> models)
    {
        var filter = $"state = PUBLISHED AND ({string.Join(" OR ", steps.Select(step => $"version = \"{step.Version}\""))})";
        var query = new RowQuery(_tenant, GrainTypes.Image, filter, "", RowQuery.RowsLimit);
        for (var pages = 0; pages < ImagePagesMax && steps.Any(step => !step.IsFull); pages++)
        {
            var (page, answered) = await GrainFactory.GetInventoryReader().ListAsync(query);
            if (page.Error is { } error)
            {
                throw new InvalidOperationException($"The images of steps cannot be listed: {error.Message}");
            }

            if (answered < _partitions.Count)
            {
                throw new StoreUnavailableException(
                    $"The images of steps cannot be listed yet: {answered} of {_partitions.Count} partitions have answered.");
            }

            foreach (var row in page.Rows.Select(row => (ImageRow)row.Row).Where(row => ServesOneOf(row, models)))
            {
                Add(steps, row);
            }

            if (page.IsLast || page.Rows.LastOrDefault() is not { } last)
            {
                break;
            }

            query = query with { After = last.Row.Name, AfterKeys = last.Keys };
        }
    }

    private static void Add(RequiredStep[] steps, ImageRow row)
    {
        var step = Array.FindIndex(steps, one => !one.IsFull && IsOf(row, one.Version));
        if (step >= 0)
        {
            steps[step] = steps[step] with { Images = steps[step].Images.Add(row.Name) };
        }
    }

    private static bool IsOf(ImageRow row, string version) =>
        OsVersion.TryParse(row.Manifest.Version, out var published) && OsVersion.TryParse(version, out var step) && published == step;

    private static bool ServesOneOf(ImageRow row, ImmutableArray<string> models) =>
        models.IsDefaultOrEmpty || row.Manifest.Models.IsDefaultOrEmpty || row.Manifest.Models.Intersect(models).Any();
}
