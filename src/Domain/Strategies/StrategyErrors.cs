using System.Globalization;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>The refusals of strategies and site rules; their reasons are names of <c>muster.v1.ErrorReason</c>.</summary>
public static class StrategyErrors
{
    public const string InvalidReason = "STRATEGY_INVALID";
    public const string RequiredReason = "STRATEGY_REQUIRED";
    public const string DifferentReason = "STRATEGIES_DIFFER";
    public const string InUseReason = "STRATEGY_IN_USE";
    public const string ChangedReason = "STRATEGY_CHANGED";
    public const string SiteRulesInvalidReason = "SITE_RULES_INVALID";
    public const string SitesUnknownReason = "MEMBER_SITES_UNKNOWN";

    private const string NotFoundReason = "NOT_FOUND";

    public static FleetError NotFound(ResourceId strategy) => FleetError.Of(
        ErrorKind.NotFound, NotFoundReason, $"There is no strategy '{strategy}'.", ("strategy", strategy.Value));

    /// <summary>There never was such a version, or it is not kept any more.</summary>
    public static FleetError VersionNotFound(Strategy strategy, long version)
    {
        ArgumentNullException.ThrowIfNull(strategy);
        var (oldest, newest) = (strategy.Versions[0].Version, strategy.Newest.Version);
        return FleetError.Of(
            ErrorKind.NotFound,
            NotFoundReason,
            string.Create(
                CultureInfo.InvariantCulture,
                $"There is no version {version} of strategy '{strategy.Id}'; kept are {oldest} to {newest}."),
            ("strategy", strategy.Id.Value),
            ("version", version.ToString(CultureInfo.InvariantCulture)),
            ("oldest", oldest.ToString(CultureInfo.InvariantCulture)),
            ("newest", newest.ToString(CultureInfo.InvariantCulture)));
    }

    public static FleetError Exists(ResourceId strategy) => FleetError.Of(
        ErrorKind.AlreadyExists, "ALREADY_EXISTS", $"There already is a strategy '{strategy}'.", ("strategy", strategy.Value));

    /// <summary>All problems at once; the metadata has one entry per field.</summary>
    public static FleetError Invalid(ImmutableArray<SpecProblem> problems) =>
        Of(InvalidReason, "The strategy is not allowed: ", problems);

    /// <summary>As <see cref="Invalid"/>.</summary>
    public static FleetError SiteRulesInvalid(ImmutableArray<SpecProblem> problems) =>
        Of(SiteRulesInvalidReason, "The site rules are not allowed: ", problems);

    /// <summary>The caller has read another version than the one that is in force.</summary>
    public static FleetError Changed(ResourceId strategy) => FleetError.Of(
        ErrorKind.Precondition,
        ChangedReason,
        $"Strategy '{strategy}' was changed since you have read it; read it again.",
        ("strategy", strategy.Value));

    /// <summary>The caller has read other rules than those that are in force.</summary>
    public static FleetError SiteRulesChanged() => FleetError.Of(
        ErrorKind.Precondition, ChangedReason, "The site rules were changed since you have read them; read them again.");

    /// <summary>Without it no rollout to these sites could be started.</summary>
    public static FleetError InUse(ResourceId strategy, ImmutableArray<string> sites)
    {
        var told = Told(sites);
        return FleetError.Of(
            ErrorKind.Precondition,
            InUseReason,
            $"Strategy '{strategy}' is needed by the site rules of {told}; take it out of them first.",
            ("strategy", strategy.Value),
            ("sites", told));
    }

    public static FleetError LimitReached(string limit) => FleetError.Of(
        ErrorKind.Exhausted, "LIMIT_REACHED", $"The limit is reached: {limit}.", ("limit", limit));

    /// <summary>Some members are in sites that need a strategy, the same for all, which the rollout is not from.</summary>
    public static FleetError Required(ResourceId rollout, RolloutStrategy? has, StrategyNeed need)
    {
        ArgumentNullException.ThrowIfNull(need);
        var (sites, version) = (Told(need.Sites), need.MinVersion.ToString(CultureInfo.InvariantCulture));
        var from = has is null ? "is from no strategy" : $"is from {has}";
        return FleetError.Of(
            ErrorKind.Precondition,
            RequiredReason,
            $"Rollout '{rollout}' {from}, and has members in sites whose rollouts have to be from strategy '{need.Strategy}' in version "
            + $"{version} or later: {sites}. Order it with `muster rollouts create {rollout} --strategy {need.Strategy}` (a draft that is "
            + $"there: `edit`), or leave them out: add to its filter AND NOT {FilterOf(need)}",
            ("rollout", rollout.Value),
            ("from", has?.ToString() ?? ""),
            ("strategy", need.Strategy.Value),
            ("minimum_version", version),
            ("sites", sites),
            ("filter", need.Filter));
    }

    /// <summary>Its members are in sites that need different strategies: no one rollout can be from all of them.</summary>
    public static FleetError Different(ResourceId rollout, ImmutableArray<StrategyNeed> needs)
    {
        var told = needs.Take(NeedsToldMax).ToArray();
        var more = needs.Length > NeedsToldMax
            ? string.Create(CultureInfo.InvariantCulture, $" ({needs.Length - NeedsToldMax} more are not named here)")
            : "";
        var list = string.Join("; ", told.Select((need, i) => string.Create(
            CultureInfo.InvariantCulture,
            $"`muster rollouts create {rollout}-{i + 1} --strategy {need.Strategy}` for {Told(need.Sites)}, "
            + $"its filter with AND {FilterOf(need)}")));
        return FleetError.Of(
            ErrorKind.Precondition,
            DifferentReason,
            $"Rollout '{rollout}' has members in sites that need different strategies{more}. Make one for each: {list}",
            [
                ("rollout", rollout.Value),
                .. told.Select(need => (need.Strategy.Value, $"{Told(need.Sites)}: {need.Filter}")),
            ]);
    }

    /// <summary>A partition froze its members and cannot say where they are.</summary>
    public static FleetError SitesUnknown(ResourceId rollout) => FleetError.Of(
        ErrorKind.Unavailable,
        SitesUnknownReason,
        $"Which sites the members of rollout '{rollout}' are in is not known of all of them; start it again. If that does not help, a silo "
        + "is of an earlier version: update all of them.",
        ("rollout", rollout.Value));

    /// <summary>Each has a command and a filter; a status has to fit into headers of 8 kB.</summary>
    private const int NeedsToldMax = 3;

    private static string Told(ImmutableArray<string> sites) =>
        string.Join(", ", sites.Take(SiteTally.SitesToldMax).Select(site => site.Length == 0 ? "(no site)" : site))
        + (sites.Length > SiteTally.SitesToldMax ? " and others" : "");

    private static string FilterOf(StrategyNeed need) => need.Filter.Length == 0 ? "(its sites)" : need.Filter;

    private static FleetError Of(string reason, string begin, ImmutableArray<SpecProblem> problems) => new(
        ErrorKind.Invalid,
        reason,
        begin + string.Join("; ", problems.Select(problem => $"{problem.Field}: {problem.Text}")) + ".",
        [.. problems.Select(problem => new ErrorDetail(problem.Field, problem.Text))]);
}
