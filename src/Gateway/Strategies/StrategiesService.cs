using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Muster.Contracts.Strategies;
using Muster.Domain;
using Muster.Domain.Strategies;
using Muster.Gateway.Grpc;
using Muster.Gateway.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Strategies;

/// <summary>The strategies and site rules of the API. A tenant has few, in one record: they are listed without the inventory.</summary>
internal sealed class StrategiesService(IGrainFactory grains) : V1.Strategies.StrategiesBase
{
    public override async Task<V1.Strategy> GetStrategy(V1.GetStrategyRequest request, ServerCallContext context)
    {
        var (tenant, choice) = ChoiceOf(request.Name);
        return Answer(tenant, await grains.GetStrategySet(tenant).GetAsync(choice));
    }

    public override async Task<V1.ListStrategiesResponse> ListStrategies(V1.ListStrategiesRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var query = new Listing(tenant, StrategyNames.Collection, "").Query;
        var after = PageTokens.Read(query, request.PageToken, keys: 0).Name;
        var size = request.PageSize == 0 ? RowLister.PageSizeDefault : request.PageSize;
        var rest = (await grains.GetStrategySet(tenant).ListAsync())
            .Where(version => string.CompareOrdinal(version.Strategy.Value, after) > 0)
            .Take(size + 1)
            .ToArray();
        var response = new V1.ListStrategiesResponse();
        response.Strategies.AddRange(rest.Take(size).Select(version => StrategiesMapping.ToApi(tenant, version)));
        response.NextPageToken = rest.Length > size
            ? PageTokens.Create(query, new PagePlace([], rest[size - 1].Strategy.Value))
            : "";
        return response;
    }

    public override async Task<V1.ListStrategyVersionsResponse> ListStrategyVersions(
        V1.ListStrategyVersionsRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, StrategyNames.Collection);
        var versions = await grains.GetStrategySet(tenant).ListVersionsAsync(id);
        if (versions.IsEmpty)
        {
            throw FleetErrors.ToRpcException(StrategyErrors.NotFound(id));
        }

        var response = new V1.ListStrategyVersionsResponse();
        response.Strategies.AddRange(versions.Reverse().Select(version => StrategiesMapping.ToApi(tenant, version)));
        return response;
    }

    public override async Task<V1.Strategy> CreateStrategy(V1.CreateStrategyRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ResourceId.TryParse(request.StrategyId, out var parsed) ? parsed : throw new FormatException(request.StrategyId);
        return Answer(tenant, await grains.GetStrategySet(tenant).CreateAsync(new CreateStrategy(
            Caller.Of(context).Actor, request.RequestId, id, StrategiesMapping.ToSpec(id, request.Strategy))));
    }

    public override async Task<V1.Strategy> UpdateStrategy(V1.UpdateStrategyRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Strategy.Name, StrategyNames.Collection);
        return Answer(tenant, await grains.GetStrategySet(tenant).UpdateAsync(new UpdateStrategy(
            Caller.Of(context).Actor, id, StrategiesMapping.ToSpec(id, request.Strategy), request.Strategy.Etag)));
    }

    public override async Task<Empty> DeleteStrategy(V1.DeleteStrategyRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, StrategyNames.Collection);
        var reply = await grains.GetStrategySet(tenant).DeleteAsync(new DeleteStrategy(Caller.Of(context).Actor, id, request.Etag));
        return reply.Error is { } error ? throw FleetErrors.ToRpcException(error) : new Empty();
    }

    public override async Task<V1.SiteRules> GetSiteRules(V1.GetSiteRulesRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(request.Name);
        return StrategiesMapping.ToApi(tenant, await grains.GetStrategySet(tenant).GetSiteRulesAsync());
    }

    public override async Task<V1.SiteRules> UpdateSiteRules(V1.UpdateSiteRulesRequest request, ServerCallContext context)
    {
        var tenant = TenantOf(request.SiteRules.Name);
        var reply = await grains.GetStrategySet(tenant).UpdateSiteRulesAsync(new UpdateSiteRules(
            Caller.Of(context).Actor, [.. request.SiteRules.Rules.Select(StrategiesMapping.ToRule)], request.SiteRules.Etag));
        return reply.Error is { } error
            ? throw FleetErrors.ToRpcException(error)
            : StrategiesMapping.ToApi(tenant, reply.Rules);
    }

    // The validators have seen every name.
    private static (TenantId Tenant, StrategyChoice Choice) ChoiceOf(string name) =>
        StrategyNames.TryParse(name, out var tenant, out var choice) ? (tenant, choice) : throw new FormatException(name);

    private static TenantId TenantOf(string name) =>
        StrategyNames.TryParseSiteRules(name, out var tenant) ? tenant : throw new FormatException(name);

    private static V1.Strategy Answer(TenantId tenant, StrategyReply reply) => reply switch
    {
        { Error: { } error } => throw FleetErrors.ToRpcException(error),
        { Version: { } version } => StrategiesMapping.ToApi(tenant, version),
        _ => throw new InvalidOperationException("Neither a strategy nor an error."),
    };
}

/// <summary>Strategies and site rules of the API and of the domain.</summary>
internal static class StrategiesMapping
{
    public static StrategySpec ToSpec(ResourceId id, V1.Strategy strategy) =>
        new(strategy.Description, StrategyCourse.Of(RolloutsMapping.ToSpec(id, strategy.Rollout)));

    public static V1.Strategy ToApi(TenantId tenant, StrategyVersion version) => new()
    {
        Name = StrategyNames.Of(tenant, version.Strategy),
        Description = version.Spec.Description,
        Rollout = RolloutsMapping.ToApi(tenant, version.Spec.Course),
        Etag = version.Etag,
        Version = version.Version,
        ChangedBy = version.ChangedBy.ToString(),
        ChangedAt = ApiValues.ToTimestamp(version.ChangedAt),
    };

    public static SiteRule ToRule(V1.SiteRule rule) => new(
        rule.Site,
        ResourceNames.ResourceOf(rule.Strategy, StrategyNames.Collection).Id,
        rule.MinimumVersion == 0 ? 1 : rule.MinimumVersion);

    public static V1.SiteRules ToApi(TenantId tenant, SiteRules rules)
    {
        var api = new V1.SiteRules
        {
            Name = StrategyNames.OfSiteRules(tenant),
            Etag = rules.Etag,
            ChangedBy = rules.ChangedBy?.ToString() ?? "",
            ChangedAt = rules.ChangedBy is null ? null : ApiValues.ToTimestamp(rules.ChangedAt),
        };
        api.Rules.AddRange(rules.Rules.Select(rule => new V1.SiteRule
        {
            Site = rule.Site,
            Strategy = StrategyNames.Of(tenant, rule.Strategy),
            MinimumVersion = rule.MinVersion,
        }));
        return api;
    }
}

/// <summary>What requests of the strategies service have to look like; whether a course makes sense is the domain's to say.</summary>
internal static class StrategiesValidators
{
    /// <summary>An etag is a revision.</summary>
    private const int EtagCharactersMax = 20;

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetStrategyRequest>((request, problems) => problems.Strategy("name", request.Name))
        .Add<V1.ListStrategiesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.ListStrategyVersionsRequest>((request, problems) => problems.StrategyName("name", request.Name))
        .Add<V1.CreateStrategyRequest>((request, problems) =>
        {
            problems.Parent(request.Parent);
            problems.ResourceIdOf("strategy_id", request.StrategyId);
            problems.RequestId(request.RequestId);
            CheckStrategy(request.Strategy, problems);
        })
        .Add<V1.UpdateStrategyRequest>((request, problems) =>
        {
            problems.StrategyName("strategy.name", request.Strategy?.Name ?? "");
            CheckStrategy(request.Strategy, problems);
        })
        .Add<V1.DeleteStrategyRequest>((request, problems) =>
        {
            problems.StrategyName("name", request.Name);
            problems.Length("etag", request.Etag, 0, EtagCharactersMax);
        })
        .Add<V1.GetSiteRulesRequest>((request, problems) => problems.SiteRulesName("name", request.Name))
        .Add<V1.UpdateSiteRulesRequest>(CheckSiteRules);

    private static void CheckStrategy(V1.Strategy? strategy, Problems problems)
    {
        if (strategy?.Rollout is not { } rollout)
        {
            problems.Add("strategy.rollout", "is required");
            return;
        }

        problems.Length("strategy.description", strategy.Description, 0, StrategyRules.DescriptionLengthMax);
        problems.Length("strategy.etag", strategy.Etag, 0, EtagCharactersMax);
        foreach (var field in RolloutFields.OrderIn(rollout))
        {
            problems.Add($"strategy.rollout.{field}", "is each rollout's own, and no strategy's");
        }

        problems.Require(rollout.Strategy.Length == 0, "strategy.rollout.strategy", "a strategy is from no other");
        RolloutsValidators.CheckWaves(rollout, problems);
    }

    private static void CheckSiteRules(V1.UpdateSiteRulesRequest request, Problems problems)
    {
        problems.SiteRulesName("site_rules.name", request.SiteRules?.Name ?? "");
        if (request.SiteRules is not { } rules)
        {
            return;
        }

        problems.Length("site_rules.etag", rules.Etag, 0, EtagCharactersMax);
        problems.Require(
            rules.Rules.Count <= StrategyRules.SiteRulesMax, "site_rules.rules", $"at most {StrategyRules.SiteRulesMax}");
        for (var i = 0; i < rules.Rules.Count && i < StrategyRules.SiteRulesMax; i++)
        {
            var (rule, field) = (rules.Rules[i], $"site_rules.rules[{i}]");
            problems.StrategyName(field + ".strategy", rule.Strategy);
            problems.Require(
                StrategyNames.AreOfOneTenant(rule.Strategy, rules.Name), field + ".strategy", "a strategy of the rules' tenant");
            problems.Require(rule.MinimumVersion >= 0, field + ".minimum_version", "0 or more");
        }
    }
}
