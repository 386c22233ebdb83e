using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>
/// Which part of a rollout's spec is a strategy's: everything but what is changed and for whom. What a spec gets later is the strategy's
/// too, until it is named here.
/// </summary>
public static class StrategyCourse
{
    /// <summary>What stands in for the image while a course is judged: the rules want one.</summary>
    private static readonly string s_anyImage = new('0', 64);

    /// <summary>The strategy's part of a spec.</summary>
    public static RolloutSpec Of(RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return spec with
        {
            ImageDigest = "",
            TargetVersion = "",
            Settings = null,
            AllowTrackChange = false,
            TakeSteps = false,
            Path = [],
            Filter = "",
            Seed = 0,
            RetryOf = null,
            Strategy = null,
        };
    }

    /// <summary>The spec of a rollout from a version: the order says what is changed and for whom, and nothing else.</summary>
    public static RolloutSpec Expand(StrategyVersion version, RolloutSpec order)
    {
        ArgumentNullException.ThrowIfNull(version);
        return Order(version.Spec.Course, order) with { Strategy = version.Reference };
    }

    /// <summary>Whether a rollout is what was ordered from a strategy: an order that is repeated is recognised by it.</summary>
    public static bool IsOf(RolloutSpec spec, StrategyChoice choice, RolloutSpec order)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(choice);
        ArgumentNullException.ThrowIfNull(order);
        return spec.Strategy is { } strategy
            && strategy.Id == choice.Strategy
            && (choice.Version == 0 || choice.Version == strategy.Version)
            && Order(spec, order with { TargetVersion = spec.TargetVersion, Path = spec.Path }) == spec;
    }

    /// <summary>Everything that is wrong with a course, by the fields of a rollout.</summary>
    public static ImmutableArray<SpecProblem> Validate(RolloutSpec course)
    {
        ArgumentNullException.ThrowIfNull(course);
        var problems = RolloutSpecRules.Validate(Of(course) with { ImageDigest = s_anyImage, TargetVersion = "0" });
        var size = SpecFingerprint.SizeOf(course);
        return size <= StrategyRules.CourseBytesMax || !problems.IsEmpty
            ? problems
            : [new SpecProblem("waves", $"has with all beside it {size} bytes; a strategy has at most {StrategyRules.CourseBytesMax}")];
    }

    private static RolloutSpec Order(RolloutSpec course, RolloutSpec order) => course with
    {
        ImageDigest = order.ImageDigest,
        TargetVersion = order.TargetVersion,
        Settings = order.Settings,
        AllowTrackChange = order.AllowTrackChange,
        TakeSteps = order.TakeSteps,
        Path = order.Path,
        Filter = order.Filter,
        Seed = order.Seed,
        RetryOf = order.RetryOf,

        // A rest is known at the start; the rest of the course holds for it, too.
        IncludeLateJoiners = course.IncludeLateJoiners && order.RetryOf is null,
    };
}
