using Microsoft.Extensions.Logging;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Domain;
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
            image.Target, spec.AllowTrackChange ? null : image.Track, image.Models, image.Conditions ?? ImageConditions.None)
        {
            Path = spec.Path.IsDefault ? [] : spec.Path,
        };

    /// <summary>
    /// The images that take devices over the steps of this one, as the catalogue has them now; none unless they are ordered.
    /// </summary>
    private async Task<ImmutableArray<StepImage>> FindPathAsync(RolloutSpec spec, RolloutImage? image)
    {
        if (!spec.TakeSteps || image?.Conditions is not { Steps: { IsDefaultOrEmpty: false } versions })
        {
            return [];
        }

        var published = new List<StepImage>();
        await foreach (var row in PublishedAsync(versions, image.Models))
        {
            published.Add(new StepImage(
                row.Name, row.Manifest.Version, row.Manifest.Track.Value, row.Manifest.Models, row.Manifest.Release.Conditions));
        }

        return RolloutPath.Choose(image, spec.AllowTrackChange, published);
    }

    /// <summary>Why what was found once cannot be offered any more; null while it can.</summary>
    private async Task<FleetError?> CheckPathAsync(RolloutSpec spec)
    {
        foreach (var step in spec.Path.IsDefault ? [] : spec.Path)
        {
            if (ImageDigest.TryParse(step.Digest, out var digest)
                && await GrainFactory.GetImage(_tenant, digest).CheckUseAsync() is { } refusal)
            {
                return refusal;
            }
        }

        return null;
    }

    /// <summary>
    /// The store refuses offers of a revoked step already; what is left is to say so and to take back what was not delivered. One of which
    /// it is not known now stops nothing and is asked about again.
    /// </summary>
    private async Task GiveUpRevokedStepsAsync(Rollout rollout)
    {
        var path = rollout.Spec.Path.IsDefault ? [] : rollout.Spec.Path;
        StepImage[] left = [.. path.Where(step => !Plan.IsRevokedStep(step.Digest))];
        if (left.Length == 0)
        {
            return;
        }

        // At most StepImage.PathMax at a time.
        var revoked = await Task.WhenAll(left.Select(step => IsRevokedAsync(step.Digest)));
        var order = new RolloutOrder(_id, Actor.Rule("images"), "", _clock.GetUtcNow());
        var decision = RolloutLifecycle.GiveUpSteps(Plan, left.Where((_, i) => revoked[i]), order);
        if (!decision.Events.IsEmpty)
        {
            await CommitAsync(rollout with { Plan = decision.Next }, decision.Events, order.Actor, order.Now);
        }
    }

    private async Task<bool> IsRevokedAsync(string text)
    {
        try
        {
            return ImageDigest.TryParse(text, out var digest)
                && await GrainFactory.GetImage(_tenant, digest).CheckUseAsync() is { Reason: ImageErrors.RevokedReason };
        }
        catch (Exception fault)
        {
            LogStepUnknown(fault, _id.Value, text);
            return false;
        }
    }

    /// <summary>
    /// The steps that hold members up, each with the images that would take them over it, and those that the rollout takes members over.
    /// </summary>
    private async Task<ImmutableArray<RequiredStep>> FindStepsAsync(RolloutSpec spec, RolloutImage? image, FitTally? fit)
    {
        if (image?.Conditions is not { Steps: var versions } || fit is null)
        {
            return [];
        }

        RequiredStep[] leftOut =
        [
            .. versions.Zip(fit.BelowStep).Where(step => step.Second > 0).Select(step => new RequiredStep(step.First, step.Second, [])),
        ];
        await AddImagesAsync(leftOut, image.Models);
        return [.. leftOut, .. TakenSteps(spec, versions, fit)];
    }

    private static IEnumerable<RequiredStep> TakenSteps(RolloutSpec spec, ImmutableArray<string> versions, FitTally fit) =>
        fit.TakenBelowStep.IsDefaultOrEmpty
            ? []
            : versions.Zip(fit.TakenBelowStep)
                .Where(step => step.Second > 0)
                .Select(step => new RequiredStep(step.First, step.Second, TakenOf(spec, step.First)) { IsTaken = true });

    private static ImmutableArray<string> TakenOf(RolloutSpec spec, string version) =>
        spec.Path.IsDefault ? [] : [.. spec.Path.Where(step => step.IsOf(version)).Select(step => step.Digest)];

    /// <summary>What is kept is what is said, however many images there are.</summary>
    private async Task AddImagesAsync(RequiredStep[] steps, ImmutableArray<string> models)
    {
        if (steps.Length == 0)
        {
            return;
        }

        await foreach (var row in PublishedAsync(steps.Select(step => step.Version), models))
        {
            Add(steps, row);
            if (steps.All(step => step.IsFull))
            {
                return;
            }
        }
    }

    /// <summary>
    /// Those for one of the models, in the order of the names. Lists answer: what they say is as old as they are, and nothing is offered
    /// by it.
    /// </summary>
    private async IAsyncEnumerable<ImageRow> PublishedAsync(IEnumerable<string> versions, ImmutableArray<string> models)
    {
        var filter = $"state = PUBLISHED AND ({string.Join(" OR ", versions.Select(version => $"version = \"{version}\""))})";
        var query = new RowQuery(_tenant, GrainTypes.Image, filter, "", RowQuery.RowsLimit);
        for (var pages = 0; pages < ImagePagesMax; pages++)
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
                yield return row;
            }

            if (page.IsLast || page.Rows.LastOrDefault() is not { } last)
            {
                yield break;
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Rollout {RolloutId}: whether the step {Digest} is revoked is not known")]
    private partial void LogStepUnknown(Exception fault, string rolloutId, string digest);
}
