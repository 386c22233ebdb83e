using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Rollouts;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>What a dry run found out, in the words of the API.</summary>
internal static partial class RolloutsMapping
{
    public static V1.Rollout WithPlan(TenantId tenant, V1.Rollout rollout, RolloutReply reply)
    {
        rollout.Members = reply.Matching;
        rollout.MembersWithoutWayBack = reply.WithoutWayBack;
        rollout.WaveStatus.Clear();
        rollout.WaveStatus.AddRange(ToPlanned(reply.Planned));
        rollout.ExpectedSkips.Clear();
        rollout.ExpectedSkips.AddRange(ToApi(reply.ExpectedSkips));
        rollout.Steps.Clear();
        rollout.Steps.AddRange((reply.Steps.IsDefault ? [] : reply.Steps).Select(step => ToApi(tenant, step)));
        return rollout;
    }

    /// <summary>The steps that the rollout takes; how many members need them only a dry run counts.</summary>
    private static IEnumerable<V1.RequiredStep> ToTaken(TenantId tenant, RolloutSpec spec) =>
        (spec.Path.IsDefault ? [] : spec.Path).GroupBy(step => step.Version).Select(step =>
            ToApi(tenant, new RequiredStep(step.Key, 0, [.. step.Select(image => image.Digest)]) { IsTaken = true }));

    private static V1.RequiredStep ToApi(TenantId tenant, RequiredStep step)
    {
        var api = new V1.RequiredStep { Version = step.Version, Devices = step.Devices, Taken = step.IsTaken };
        api.Images.AddRange(step.Images.Select(image => ImageName(tenant, image)));
        return api;
    }
}
