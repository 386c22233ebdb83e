using Grpc.Core;
using Muster.Contracts.Policies;
using Muster.Domain;
using Muster.Domain.Images;
using Muster.Domain.Policies;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Policies;

/// <summary>The policies of the API. A tenant has at most some hundred, in one record: they are listed without the inventory.</summary>
internal sealed class PoliciesService(IGrainFactory grains) : V1.Policies.PoliciesBase
{
    public override async Task<V1.Policy> GetPolicy(V1.GetPolicyRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Name, PoliciesMapping.Collection);
        var set = await grains.GetPolicySet(tenant).GetAsync();
        return PolicyRules.Find(set, id) is { } policy
            ? PoliciesMapping.ToApi(tenant, policy, set)
            : throw FleetErrors.ToRpcException(PolicyErrors.NotFound(id));
    }

    public override async Task<V1.ListPoliciesResponse> ListPolicies(V1.ListPoliciesRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var query = new Listing(tenant, "policies", "").Query;
        var after = PageTokens.Read(query, request.PageToken, keys: 0).Name;
        var size = request.PageSize == 0 ? RowLister.PageSizeDefault : request.PageSize;
        var set = await grains.GetPolicySet(tenant).GetAsync();
        var rest = set.Policies
            .Where(policy => string.CompareOrdinal(policy.Spec.Id.Value, after) > 0)
            .OrderBy(policy => policy.Spec.Id.Value, StringComparer.Ordinal)
            .Take(size + 1)
            .ToArray();
        var response = new V1.ListPoliciesResponse();
        response.Policies.AddRange(rest.Take(size).Select(policy => PoliciesMapping.ToApi(tenant, policy, set)));
        response.NextPageToken = rest.Length > size ? PageTokens.Create(query, new PagePlace([], rest[size - 1].Spec.Id.Value)) : "";
        return response;
    }

    public override async Task<V1.Policy> CreatePolicy(V1.CreatePolicyRequest request, ServerCallContext context)
    {
        var tenant = ResourceNames.ParentOf(request.Parent);
        var id = ResourceId.TryParse(request.PolicyId, out var parsed) ? parsed : throw new FormatException(request.PolicyId);
        var command = new CreatePolicy(Caller.Of(context).Actor, request.RequestId, PoliciesMapping.ToSpec(id, request.Policy));
        return await AnswerAsync(tenant, await grains.GetPolicySet(tenant).CreateAsync(command));
    }

    public override async Task<V1.Policy> UpdatePolicy(V1.UpdatePolicyRequest request, ServerCallContext context)
    {
        var (tenant, id) = ResourceNames.ResourceOf(request.Policy.Name, PoliciesMapping.Collection);
        var command = new UpdatePolicy(Caller.Of(context).Actor, PoliciesMapping.ToSpec(id, request.Policy));
        return await AnswerAsync(tenant, await grains.GetPolicySet(tenant).UpdateAsync(command));
    }

    private async Task<V1.Policy> AnswerAsync(TenantId tenant, PolicyReply reply)
    {
        if (reply.Policy is not { } policy || reply.Error is not null)
        {
            throw FleetErrors.ToRpcException(reply.Error ?? throw new InvalidOperationException("Neither a policy nor an error."));
        }

        return PoliciesMapping.ToApi(tenant, policy, await grains.GetPolicySet(tenant).GetAsync());
    }
}

/// <summary>Policies of the API and of the domain.</summary>
internal static class PoliciesMapping
{
    public const string Collection = "policies";

    public static PolicySpec ToSpec(ResourceId id, V1.Policy policy) => new(id, [.. policy.Models], [.. policy.Rules.Select(ToRule)]);

    public static V1.Policy ToApi(TenantId tenant, Policy policy, PolicySet set)
    {
        var api = new V1.Policy
        {
            Name = ResourceNames.Of(tenant, Collection, policy.Spec.Id.Value),
            Version = policy.Version,
            Revision = policy.Revision,
            Evaluated = set.EvaluatedRevision >= policy.Revision,
        };
        api.Models.AddRange(policy.Spec.Models);
        api.Rules.AddRange(policy.Spec.Rules.Select(ToApi));
        return api;
    }

    private static PolicyRule ToRule(V1.PolicyRule rule) => rule.RuleCase switch
    {
        V1.PolicyRule.RuleOneofCase.MinimumOsVersion => new MinimumOsVersion { Name = rule.Name, Version = rule.MinimumOsVersion },
        V1.PolicyRule.RuleOneofCase.RequiredSetting => new RequiredSetting
        {
            Name = rule.Name,
            Setting = rule.RequiredSetting.Setting,
            Value = rule.RequiredSetting.Value,
        },
        _ => throw new System.Diagnostics.UnreachableException("The validator lets no other rule pass."),
    };

    private static V1.PolicyRule ToApi(PolicyRule rule) => rule switch
    {
        MinimumOsVersion minimum => new V1.PolicyRule { Name = rule.Name, MinimumOsVersion = minimum.Version },
        RequiredSetting setting => new V1.PolicyRule
        {
            Name = rule.Name,
            RequiredSetting = new V1.RequiredSetting { Setting = setting.Setting, Value = setting.Value },
        },
        _ => throw new System.Diagnostics.UnreachableException($"Unknown rule {rule.GetType().Name}."),
    };
}

/// <summary>What requests of the policies service have to look like.</summary>
internal static class PoliciesValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetPolicyRequest>((request, problems) => problems.PolicyName("name", request.Name))
        .Add<V1.ListPoliciesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.CreatePolicyRequest>((request, problems) =>
        {
            problems.Parent(request.Parent);
            problems.ResourceIdOf("policy_id", request.PolicyId);
            problems.RequestId(request.RequestId);
            CheckPolicy(request.Policy, problems);
        })
        .Add<V1.UpdatePolicyRequest>((request, problems) =>
        {
            problems.PolicyName("policy.name", request.Policy?.Name ?? "");
            CheckPolicy(request.Policy, problems);
        });

    private static void CheckPolicy(V1.Policy? policy, Problems problems)
    {
        if (policy is null)
        {
            problems.Add("policy", "is required");
            return;
        }

        problems.Require(policy.Models.Count <= PolicyRules.ModelsMax, "policy.models", $"at most {PolicyRules.ModelsMax}");
        problems.Require(policy.Rules.Count is >= 1 and <= PolicyRules.RulesMax, "policy.rules", $"1 to {PolicyRules.RulesMax} rules");
        for (var i = 0; i < policy.Rules.Count && i < PolicyRules.RulesMax; i++)
        {
            var (rule, field) = (policy.Rules[i], $"policy.rules[{i}]");
            problems.ResourceIdOf(field + ".name", rule.Name);
            switch (rule.RuleCase)
            {
                case V1.PolicyRule.RuleOneofCase.MinimumOsVersion:
                    problems.Require(
                        OsVersion.TryParse(rule.MinimumOsVersion, out _), field + ".minimum_os_version", "numbers with dots between them");
                    break;
                case V1.PolicyRule.RuleOneofCase.RequiredSetting:
                    problems.Length(field + ".required_setting.setting", rule.RequiredSetting.Setting, 1, PolicyRules.SettingLengthMax);
                    problems.Length(field + ".required_setting.value", rule.RequiredSetting.Value, 0, PolicyRules.ValueLengthMax);
                    break;
                default:
                    problems.Add(field + ".rule", "minimum_os_version or required_setting");
                    break;
            }
        }
    }
}
