using System.Globalization;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Muster.Gateway.Grpc;

namespace Muster.Gateway.Strategies;

/// <summary>Names of strategies, of their versions (<c>tenants/acme/strategies/canary@3</c>, AIP-162), and of the site rules.</summary>
internal static class StrategyNames
{
    public const string Collection = "strategies";

    private const string SiteRulesSuffix = "/siteRules";

    public static string Of(TenantId tenant, ResourceId strategy) => ResourceNames.Of(tenant, Collection, strategy.Value);

    /// <summary>Empty for none.</summary>
    public static string Of(TenantId tenant, RolloutStrategy? strategy) =>
        strategy is null ? "" : ResourceNames.Of(tenant, Collection, strategy.ToString());

    public static string OfSiteRules(TenantId tenant) => ResourceNames.Of(tenant) + SiteRulesSuffix;

    public static bool TryParse(string name, out TenantId tenant, out StrategyChoice choice)
    {
        choice = new StrategyChoice(default, 0);
        if (!ResourceNames.TryParse(name, Collection, out tenant, out var id))
        {
            return false;
        }

        var at = id.IndexOf('@', StringComparison.Ordinal);
        var version = 0L;
        if (!ResourceId.TryParse(at < 0 ? id : id[..at], out var strategy)
            || (at >= 0 && !long.TryParse(id.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out version))
            || (at >= 0 && version == 0))
        {
            return false;
        }

        choice = new StrategyChoice(strategy, version);
        return true;
    }

    /// <summary>Null for none; the validators have seen the name.</summary>
    public static StrategyChoice? ChoiceOf(string name) => name.Length == 0 ? null
        : TryParse(name, out _, out var choice) ? choice
        : throw new FormatException(name);

    /// <summary>False also when one of the two is no name: then that is said, too.</summary>
    public static bool AreOfOneTenant(string strategy, string other) =>
        TryParse(strategy, out var tenant, out _) && other.Split('/') is [_, var owner, ..] && owner == tenant.Value;

    public static bool TryParseSiteRules(string name, out TenantId tenant)
    {
        tenant = default;
        return name.EndsWith(SiteRulesSuffix, StringComparison.Ordinal)
            && ResourceNames.TryParseParent(name[..^SiteRulesSuffix.Length], out tenant);
    }
}
