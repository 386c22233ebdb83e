using Muster.Domain.Devices;
using Muster.Domain.Rollouts;

namespace Muster.Domain.Strategies;

/// <summary>Decides how strategies and site rules change. Both are one record: no rule ever names a strategy that there is not.</summary>
public static class StrategyRules
{
    /// <summary>Nobody chooses among more; with all their versions they are one record, which may have a megabyte.</summary>
    public const int StrategiesMax = 20;

    /// <summary>
    /// Rollouts hold what they were made from themselves, and the facts hold every version: older ones are kept to be compared, and to make
    /// one more rollout as the last.
    /// </summary>
    public const int VersionsMax = 8;

    /// <summary>Of a version as it is hashed: a rollout with 32 waves and 14 windows has about 2,300.</summary>
    public const int CourseBytesMax = 4_000;

    /// <summary>A line or two of a terminal.</summary>
    public const int DescriptionLengthMax = 200;

    /// <summary>More than these are groups of sites, which a pattern names.</summary>
    public const int SiteRulesMax = 100;

    /// <summary>Makes a strategy; the same request again is answered with the strategy as it is now.</summary>
    public static Decision<StrategySet> Create(StrategySet current, ResourceId id, StrategySpec spec, string requestId, StrategyOrder order)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(requestId);
        var wanted = spec with { Course = StrategyCourse.Of(spec.Course) };
        if (Find(current, id) is { } existing)
        {
            if (existing.RequestId != requestId)
            {
                return Decision.Refuse(current, StrategyErrors.Exists(id));
            }

            // After an update the first request's repetition is still the same request.
            return existing.Newest.Version > 1 || existing.Newest.Spec == wanted
                ? Decision.Unchanged(current)
                : Decision.Refuse(current, RequestErrors.IdReused(requestId));
        }

        if (Check(wanted, requestId) is { } invalid)
        {
            return Decision.Refuse(current, invalid);
        }

        if (current.Strategies.Length >= StrategiesMax)
        {
            return Decision.Refuse(current, StrategyErrors.LimitReached($"{StrategiesMax} strategies"));
        }

        var revision = current.Revision + 1;
        var version = new StrategyVersion(id, 1, revision, wanted, order.Actor, order.Now);
        var strategies = current.Strategies.Add(new Strategy(id, [version], revision, requestId))
            .Sort((a, b) => string.CompareOrdinal(a.Id.Value, b.Id.Value));
        return Decision.Accept(current with { Revision = revision, Strategies = strategies }, new StrategyCreated(version));
    }

    /// <summary>Makes a new version; the same spec again changes nothing.</summary>
    public static Decision<StrategySet> Update(StrategySet current, ResourceId id, StrategySpec spec, string etag, StrategyOrder order)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(etag);
        if (Find(current, id) is not { } existing)
        {
            return Decision.Refuse(current, StrategyErrors.NotFound(id));
        }

        var wanted = spec with { Course = StrategyCourse.Of(spec.Course) };
        if (existing.Newest.Spec == wanted)
        {
            return Decision.Unchanged(current);
        }

        if ((CheckEtag(existing, etag) ?? Check(wanted, existing.RequestId)) is { } refusal)
        {
            return Decision.Refuse(current, refusal);
        }

        var version = new StrategyVersion(id, existing.Newest.Version + 1, current.Revision + 1, wanted, order.Actor, order.Now);
        var next = existing with { Versions = [.. existing.Versions.Add(version).TakeLast(VersionsMax)] };
        return Decision.Accept(
            current with { Revision = version.Revision, Strategies = current.Strategies.Replace(existing, next) },
            new StrategyUpdated(version));
    }

    /// <summary>Deletes a strategy that no site needs. Rollouts that were made from it stay as they are.</summary>
    public static Decision<StrategySet> Delete(StrategySet current, ResourceId id, string etag)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(etag);
        if (Find(current, id) is not { } existing)
        {
            return Decision.Refuse(current, StrategyErrors.NotFound(id));
        }

        ImmutableArray<string> sites = [.. current.SiteRules.Rules.Where(rule => rule.Strategy == id).Select(rule => rule.Site)];
        if ((CheckEtag(existing, etag) ?? (sites.IsEmpty ? null : StrategyErrors.InUse(id, sites))) is { } refusal)
        {
            return Decision.Refuse(current, refusal);
        }

        return Decision.Accept(
            current with { Revision = current.Revision + 1, Strategies = current.Strategies.Remove(existing) },
            new StrategyDeleted(id, existing.Newest.Version));
    }

    /// <summary>Writes the site rules anew, as a whole; the same rules again change nothing.</summary>
    public static Decision<StrategySet> UpdateSiteRules(
        StrategySet current, ImmutableArray<SiteRule> wanted, string etag, StrategyOrder order)
    {
        ArgumentNullException.ThrowIfNull(current);
        ArgumentNullException.ThrowIfNull(etag);
        var problems = CheckSiteRules(current, wanted);
        if (!problems.IsEmpty)
        {
            return Decision.Refuse(current, StrategyErrors.SiteRulesInvalid(problems));
        }

        ImmutableArray<SiteRule> rules =
            [.. wanted.Select(rule => rule with { CreatedRevision = Find(current, rule.Strategy)!.CreatedRevision })];
        if (rules.AsSpan().SequenceEqual(current.SiteRules.Rules.AsSpan()))
        {
            return Decision.Unchanged(current);
        }

        if (etag.Length > 0 && etag != current.SiteRules.Etag)
        {
            return Decision.Refuse(current, StrategyErrors.SiteRulesChanged());
        }

        var next = new SiteRules(current.Revision + 1, rules, order.Actor, order.Now);
        return Decision.Accept(current with { Revision = next.Revision, SiteRules = next }, new SiteRulesUpdated(next));
    }

    public static Strategy? Find(StrategySet set, ResourceId strategy)
    {
        ArgumentNullException.ThrowIfNull(set);
        return set.Strategies.FirstOrDefault(one => one.Id == strategy);
    }

    /// <summary>The version that was chosen, or why there is none.</summary>
    public static (StrategyVersion? Version, FleetError? Error) FindVersion(StrategySet set, StrategyChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        if (Find(set, choice.Strategy) is not { } strategy)
        {
            return (null, StrategyErrors.NotFound(choice.Strategy));
        }

        var version = choice.Version == 0
            ? strategy.Newest
            : strategy.Versions.FirstOrDefault(version => version.Version == choice.Version);
        return version is null ? (null, StrategyErrors.VersionNotFound(strategy, choice.Version)) : (version, null);
    }

    private static FleetError? CheckEtag(Strategy strategy, string etag) =>
        etag.Length == 0 || etag == strategy.Newest.Etag ? null : StrategyErrors.Changed(strategy.Id);

    private static FleetError? Check(StrategySpec spec, string requestId)
    {
        var problems = StrategyCourse.Validate(spec.Course);
        if (requestId.Length is 0 or > 64)
        {
            problems = problems.Add(new SpecProblem("request_id", "has 1 to 64 characters"));
        }

        if (spec.Description.Length > DescriptionLengthMax || spec.Description.Any(char.IsControl))
        {
            problems = problems.Add(new SpecProblem(
                "description", $"has at most {DescriptionLengthMax} characters without control characters"));
        }

        return problems.IsEmpty ? null : StrategyErrors.Invalid(problems);
    }

    private static ImmutableArray<SpecProblem> CheckSiteRules(StrategySet current, ImmutableArray<SiteRule> rules)
    {
        if (rules.Length > SiteRulesMax)
        {
            return [new SpecProblem("rules", $"has at most {SiteRulesMax} rules; a pattern such as plant-* names many sites")];
        }

        var problems = ImmutableArray.CreateBuilder<SpecProblem>();
        for (var i = 0; i < rules.Length; i++)
        {
            var (rule, field) = (rules[i], $"rules[{i}]");
            if (rule.Site.Length is 0 or > DeviceLifecycle.SiteLengthMax || rule.Site.Any(char.IsControl))
            {
                problems.Add(new(field + ".site", $"has 1 to {DeviceLifecycle.SiteLengthMax} characters without control characters"));
            }
            else if (rules.Take(i).Any(other => other.Site == rule.Site))
            {
                problems.Add(new(field + ".site", $"'{rule.Site}' is named above already, and the first rule counts"));
            }

            if (Find(current, rule.Strategy) is not { } strategy)
            {
                problems.Add(new(field + ".strategy", $"there is no strategy '{rule.Strategy}'"));
            }
            else if (rule.MinVersion < 1 || rule.MinVersion > strategy.Newest.Version)
            {
                problems.Add(new(
                    field + ".minimum_version", $"is from 1 to {strategy.Newest.Version}, the newest version of '{rule.Strategy}'"));
            }
        }

        return problems.ToImmutable();
    }
}

/// <summary>Who changes strategies, and when.</summary>
public readonly record struct StrategyOrder(Actor Actor, DateTimeOffset Now);
