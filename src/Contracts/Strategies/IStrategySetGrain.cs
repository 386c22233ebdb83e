using Muster.Domain;
using Muster.Domain.Strategies;
using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Muster.Contracts.Strategies;

/// <summary>
/// All strategies of a tenant, and the site rules that name them, under one revision: no rule names a strategy that there is not. Key: the
/// tenant.
/// </summary>
[GrainInterfaceType("muster.strategy-set"), Alias("muster.IStrategySetGrain"), Version(1)]
public interface IStrategySetGrain : IGrainWithStringKey
{
    /// <summary>Makes a strategy. The same request id again gives the same answer.</summary>
    [Alias("Create"), ResponseTimeout(CallTimeouts.Commit)]
    Task<StrategyReply> CreateAsync(CreateStrategy command);

    /// <summary>Makes a new version. The same spec again changes nothing.</summary>
    [Alias("Update"), ResponseTimeout(CallTimeouts.Commit)]
    Task<StrategyReply> UpdateAsync(UpdateStrategy command);

    /// <summary>Deletes a strategy that no site rule names.</summary>
    [Alias("Delete"), ResponseTimeout(CallTimeouts.Commit)]
    Task<StrategyReply> DeleteAsync(DeleteStrategy command);

    /// <summary>Writes the site rules anew, as a whole. The same rules again change nothing.</summary>
    [Alias("UpdateSiteRules"), ResponseTimeout(CallTimeouts.Commit)]
    Task<SiteRulesReply> UpdateSiteRulesAsync(UpdateSiteRules command);

    /// <summary>One version of a strategy. Interleaves, as all that follows: only what is committed is ever answered.</summary>
    [Alias("Get"), AlwaysInterleave]
    Task<StrategyReply> GetAsync(StrategyChoice choice);

    /// <summary>The newest version of each strategy, by id.</summary>
    [Alias("List"), AlwaysInterleave]
    Task<ImmutableArray<StrategyVersion>> ListAsync();

    /// <summary>The versions of a strategy that are kept, oldest first; none when there is no such strategy.</summary>
    [Alias("ListVersions"), AlwaysInterleave]
    Task<ImmutableArray<StrategyVersion>> ListVersionsAsync(ResourceId strategy);

    /// <summary>Which sites need which strategy.</summary>
    [Alias("GetSiteRules"), AlwaysInterleave]
    Task<SiteRules> GetSiteRulesAsync();
}

/// <summary>Makes a strategy.</summary>
/// <param name="Actor">Who.</param>
/// <param name="RequestId">The caller's id of the request (AIP-155).</param>
/// <param name="Strategy">Its name.</param>
/// <param name="Spec">What it says.</param>
[GenerateSerializer, Immutable, Alias("muster.create-strategy")]
public sealed record CreateStrategy(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] string RequestId,
    [property: Id(2)] ResourceId Strategy,
    [property: Id(3)] StrategySpec Spec);

/// <summary>Makes a new version of a strategy.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Strategy">Which.</param>
/// <param name="Spec">What it says from now on.</param>
/// <param name="Etag">Of the version that he has read; empty when he does not care.</param>
[GenerateSerializer, Immutable, Alias("muster.update-strategy")]
public sealed record UpdateStrategy(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ResourceId Strategy,
    [property: Id(2)] StrategySpec Spec,
    [property: Id(3)] string Etag);

/// <summary>Deletes a strategy.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Strategy">Which.</param>
/// <param name="Etag">Of the version that he has read; empty when he does not care.</param>
[GenerateSerializer, Immutable, Alias("muster.delete-strategy")]
public sealed record DeleteStrategy(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ResourceId Strategy,
    [property: Id(2)] string Etag);

/// <summary>Writes the site rules anew.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Rules">All of them, in their order.</param>
/// <param name="Etag">Of the rules that he has read; empty when he does not care.</param>
[GenerateSerializer, Immutable, Alias("muster.update-site-rules")]
public sealed record UpdateSiteRules(
    [property: Id(0)] Actor Actor,
    [property: Id(1)] ImmutableArray<SiteRule> Rules,
    [property: Id(2)] string Etag);

/// <summary>The committed version, or why not; neither when the strategy is gone.</summary>
[GenerateSerializer, Immutable, Alias("muster.strategy-reply")]
public sealed record StrategyReply([property: Id(0)] StrategyVersion? Version, [property: Id(1)] FleetError? Error);

/// <summary>The committed rules, and why they are not others.</summary>
[GenerateSerializer, Immutable, Alias("muster.site-rules-reply")]
public sealed record SiteRulesReply([property: Id(0)] SiteRules Rules, [property: Id(1)] FleetError? Error);

/// <summary>The only place where a tenant becomes the key of its strategies.</summary>
public static class StrategySetGrainFactoryExtensions
{
    public static IStrategySetGrain GetStrategySet(this IGrainFactory grains, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(grains);
        return grains.GetGrain<IStrategySetGrain>(tenant.Value);
    }
}
