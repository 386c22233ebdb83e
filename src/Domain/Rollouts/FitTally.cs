using Muster.Domain.Devices;
using Muster.Domain.Images;

namespace Muster.Domain.Rollouts;

/// <summary>
/// Whom an image is for among members, by what their rows say: how many would be left out and why, and how many have to run a version
/// before it. As small as the image's conditions are, however many members there are.
/// </summary>
/// <param name="Skips">Those that would be left out, by reason.</param>
/// <param name="BelowStep">
/// By step of the image's conditions: those that steps alone keep from it, and that are below this one. Who is below a step is below all
/// that follow.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.fit-tally")]
public sealed record FitTally([property: Id(0)] SkipTotals Skips, [property: Id(1)] ImmutableArray<int> BelowStep)
{
    /// <summary>By step: those that the rollout takes over the steps, and that are below this one.</summary>
    [Id(125)] public ImmutableArray<int> TakenBelowStep { get; init; } = [];

    /// <summary>Of the members whose situations these are.</summary>
    public static FitTally Of(ImageNeeds image, IEnumerable<ImageSituation> members)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(members);
        var skips = new int[MemberReasons.Count];
        var below = new int[image.Conditions.Steps.Length];
        var taken = new int[below.Length];
        foreach (var member in members)
        {
            if (image.FindObstacle(member) is not { } reason)
            {
                continue;
            }

            // Whom the rollout takes over the steps it does not leave out.
            var isTaken = image.FindStep(member) is not null;
            skips[(int)MemberReasons.Parse(reason)] += isTaken ? 0 : 1;
            var counted = isTaken ? taken : below;
            for (var passed = image.Conditions.StepsPassed(member.OsVersion);
                (isTaken || reason == ImageConditions.StepRequired) && passed < counted.Length;
                passed++)
            {
                counted[passed]++;
            }
        }

        return new FitTally(new SkipTotals([.. skips]), [.. below]) { TakenBelowStep = [.. taken] };
    }

    /// <summary>Of two parts of the members, counted for the same image.</summary>
    public FitTally Plus(FitTally other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.BelowStep.Length == BelowStep.Length
            ? new(SkipTotals.Sum(Skips, other.Skips)!, Sum(BelowStep, other.BelowStep))
            {
                TakenBelowStep = Sum(TakenBelowStep, other.TakenBelowStep),
            }
            : throw new ArgumentException($"Counted by {other.BelowStep.Length} steps, and not by {BelowStep.Length}.", nameof(other));
    }

    public bool Equals(FitTally? other) =>
        other is not null && Skips == other.Skips
        && BelowStep.AsSpan().SequenceEqual(other.BelowStep.AsSpan())
        && TakenBelowStep.AsSpan().SequenceEqual(other.TakenBelowStep.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Skips, BelowStep.Sum());

    /// <summary>A silo of an earlier version counts nobody who is taken over steps.</summary>
    private static ImmutableArray<int> Sum(ImmutableArray<int> left, ImmutableArray<int> right) =>
        left.IsDefaultOrEmpty ? right : right.IsDefaultOrEmpty ? left : [.. left.Zip(right, (one, other) => one + other)];
}

/// <summary>A version that members have to run before the image can be offered to them.</summary>
/// <param name="Version">As the image's conditions say it.</param>
/// <param name="Devices">Members that are below it.</param>
/// <param name="Images">
/// Digests of published images of that version for one of the models at least, at most <see cref="ImagesMax"/>; none when it cannot be
/// rolled out now.
/// </param>
[GenerateSerializer, Immutable, Alias("muster.required-step")]
public sealed record RequiredStep(
    [property: Id(0)] string Version,
    [property: Id(1)] int Devices,
    [property: Id(2)] ImmutableArray<string> Images)
{
    /// <summary>A product family has an image of a version; a handful of families share a target.</summary>
    public const int ImagesMax = 8;

    /// <summary>The rollout takes members over it itself, with these images.</summary>
    [Id(125)] public bool IsTaken { get; init; }

    /// <summary>More images of it are not named.</summary>
    public bool IsFull => Images.Length >= ImagesMax;

    public bool Equals(RequiredStep? other) =>
        other is not null && (Version, Devices, IsTaken) == (other.Version, other.Devices, other.IsTaken)
        && Images.AsSpan().SequenceEqual(other.Images.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Version, Devices, Images.Length);
}
