namespace Muster.Domain.Strategies;

/// <summary>Members of a rollout in the sites of one site rule.</summary>
/// <param name="Rule">The rule, by its place.</param>
/// <param name="Members">How many.</param>
/// <param name="Sites">The first of their sites by name, at most <see cref="SiteTally.SitesMax"/>.</param>
[GenerateSerializer, Immutable, Alias("muster.ruled-sites")]
public sealed record RuledSites(
    [property: Id(0)] int Rule,
    [property: Id(1)] long Members,
    [property: Id(2)] ImmutableArray<string> Sites);

/// <summary>
/// How the members of a rollout spread over the site rules: as small as the rules are, however many sites there are. Rules without members
/// are left out, as are members in sites that no rule names.
/// </summary>
/// <param name="Revision">Of the rules that it was counted by.</param>
/// <param name="Rules">In the order of the rules.</param>
[GenerateSerializer, Immutable, Alias("muster.site-tally")]
public sealed record SiteTally([property: Id(0)] long Revision, [property: Id(1)] ImmutableArray<RuledSites> Rules)
{
    /// <summary>One more than is told: it says that there are others.</summary>
    public const int SitesMax = SitesToldMax + 1;

    /// <summary>More than these nobody reads in a refusal.</summary>
    public const int SitesToldMax = 5;

    /// <summary>Counts members by their sites; a site may come more than once.</summary>
    public static SiteTally Of(SiteRules rules, IEnumerable<(string Site, long Members)> members)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(members);
        var find = rules.ReadPatterns();
        var bySite = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (site, count) in members)
        {
            bySite[site] = bySite.GetValueOrDefault(site) + count;
        }

        return new SiteTally(rules.Revision, Sum(bySite
            .Select(site => (Rule: find(site.Key), site.Key, site.Value))
            .Where(site => site.Rule is not null && site.Value > 0)
            .Select(site => new RuledSites(site.Rule!.Value, site.Value, [site.Key]))));
    }

    /// <summary>Of two parts of the members, counted by the same rules.</summary>
    public SiteTally Plus(SiteTally other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.Revision == Revision
            ? new SiteTally(Revision, Sum(Rules.Concat(other.Rules)))
            : throw new ArgumentException($"Counted by rules {other.Revision}, and not by {Revision}.", nameof(other));
    }

    private static ImmutableArray<RuledSites> Sum(IEnumerable<RuledSites> parts) =>
    [
        .. parts.GroupBy(part => part.Rule).OrderBy(rule => rule.Key).Select(rule => new RuledSites(
            rule.Key,
            rule.Sum(part => part.Members),
            [.. rule.SelectMany(part => part.Sites).Distinct().Order(StringComparer.Ordinal).Take(SitesMax)])),
    ];
}
