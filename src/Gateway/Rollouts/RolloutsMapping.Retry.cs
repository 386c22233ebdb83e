using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Domain.Strategies;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Rollouts of the rest of others.</summary>
internal static partial class RolloutsMapping
{
    /// <summary>What is ordered of the rest: what was ordered of all, but for what the request says.</summary>
    public static RolloutSpec ToSpec(Rollout retried, V1.RetryRolloutRequest request) => retried.Spec with
    {
        RetryOf = retried.Id,
        Waves = request.Waves.Count == 0 ? retried.Spec.Waves : [.. request.Waves.Select(ToSpec)],
        FailureGate = request.FailureGate is null ? retried.Spec.FailureGate : ToSpec(request.FailureGate),
        Seed = request.HasSeed ? request.Seed : retried.Spec.Seed,
    };

    /// <summary>
    /// The strategy that the rest goes by, in the version of then; null for a course of its own, which one with other waves or gates is.
    /// </summary>
    public static StrategyChoice? ToChoice(Rollout retried, V1.RetryRolloutRequest request) =>
        retried.Spec.Strategy is { } strategy && request.Waves.Count == 0 && request.FailureGate is null
            ? new StrategyChoice(strategy.Id, strategy.Version)
            : null;

    private static ResourceId? ToRetried(string name) => name.Length == 0 ? null : ResourceNames.ResourceOf(name, Collection).Id;

    private static string RetriedName(TenantId tenant, string? retried) =>
        string.IsNullOrEmpty(retried) ? "" : ResourceNames.Of(tenant, Collection, retried);
}
