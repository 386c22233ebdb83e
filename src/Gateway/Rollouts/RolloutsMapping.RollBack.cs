using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>The way back of the API and of the domain.</summary>
internal static partial class RolloutsMapping
{
    private static FailureAction ToSpec(V1.FailureAction action) => action switch
    {
        V1.FailureAction.Abort => FailureAction.Abort,
        V1.FailureAction.RollBack => FailureAction.RollBack,
        _ => FailureAction.Suspend,
    };

    private static V1.FailureAction ToApi(FailureAction action) => action switch
    {
        FailureAction.Suspend => V1.FailureAction.Suspend,
        FailureAction.Abort => V1.FailureAction.Abort,
        FailureAction.RollBack => V1.FailureAction.RollBack,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown action {action}."),
    };

    private static V1.RollBack? ToApi(RollBackPlan? plan)
    {
        if (plan is null)
        {
            return null;
        }

        var api = new V1.RollBack { StartedAt = ApiValues.ToTimestamp(plan.StartedAt) };
        if (plan.Wave is { } wave)
        {
            api.Wave = wave;
        }

        return api;
    }

    private static V1.Wave WithWayBack(WavePlan wave, V1.Wave api)
    {
        api.Untouched = wave.Totals.Untouched;
        api.WayThere = wave.Forward is not { } there ? null : new V1.WayThere
        {
            State = (V1.WaveState)there.State,
            StartedAt = ApiValues.ToTimestamp(there.StartedAt),
            PassedAt = ApiValues.ToTimestamp(there.PassedAt),
            InProgress = there.Totals.InProgress,
            Succeeded = there.Totals.Succeeded,
            Failed = there.Totals.FailedNow,
        };
        return api;
    }
}
