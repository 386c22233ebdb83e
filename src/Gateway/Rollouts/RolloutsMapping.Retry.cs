using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Rollouts of the rest of others.</summary>
internal static partial class RolloutsMapping
{
    /// <summary>What is ordered of the rest: what was ordered of all, but for what the request says; or why it cannot be.</summary>
    public static (RolloutSpec Spec, FleetError? Error) ToSpec(Rollout retried, V1.RetryRolloutRequest request)
    {
        var spec = ToPlainSpec(retried, request);
        var (waves, problems) = RestRules.Narrow(spec.Waves, [.. request.WaveFilters.Select(one => (one.Wave, one.Filter))]);
        return (spec with { Waves = waves }, problems.IsEmpty ? null : RolloutErrors.SpecInvalid(problems));
    }

    private static RolloutSpec ToPlainSpec(Rollout retried, V1.RetryRolloutRequest request) => retried.Spec with
    {
        RetryOf = retried.Id,
        Filter = RestRules.Both(retried.Spec.Filter, request.Filter),

        // Who it is of is known.
        IncludeLateJoiners = false,

        // The new rollout's grain says whether it still goes by it.
        Strategy = null,
        Waves = request.Waves.Count == 0 ? retried.Spec.Waves : [.. request.Waves.Select(ToSpec)],
        FailureGate = request.FailureGate is null ? retried.Spec.FailureGate : ToSpec(request.FailureGate),
        Seed = request.HasSeed ? request.Seed : retried.Spec.Seed,
    };

    private static ResourceId? ToRetried(string name) => name.Length == 0 ? null : ResourceNames.ResourceOf(name, Collection).Id;

    private static string RetriedName(TenantId tenant, string? retried) =>
        string.IsNullOrEmpty(retried) ? "" : ResourceNames.Of(tenant, Collection, retried);
}
