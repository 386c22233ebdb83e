using Grpc.Core;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Why a device is where it is.</summary>
internal sealed partial class RolloutsService
{
    public override async Task<V1.DeviceExplanation> ExplainDevice(V1.ExplainDeviceRequest request, ServerCallContext context)
    {
        var (tenant, device) = ResourceNames.DeviceOf(request.Device);
        var reply = await GrainOf(request.Name).ExplainDeviceAsync(device);
        return reply switch
        {
            { Error: { } error } => throw FleetErrors.ToRpcException(error),
            { Explanation: { } explanation } => ToApi(tenant, explanation),
            _ => throw new InvalidOperationException("Neither an explanation nor an error."),
        };
    }

    private static V1.DeviceExplanation ToApi(TenantId tenant, DeviceExplanation explanation)
    {
        var api = new V1.DeviceExplanation
        {
            Device = ResourceNames.Of(tenant, "devices", explanation.Device.Value),
            NotMember = ApiValues.ToName(explanation.NotMember),
            State = (V1.MemberState)explanation.Status,
            Attempt = explanation.Attempt,
            MaxAttempts = explanation.MaxAttempts,
            Until = ApiValues.ToTimestamp(explanation.Until),
            Reason = explanation.Reason,
            OfferedAt = ApiValues.ToTimestamp(explanation.OfferedAt),
            DeliveredAt = ApiValues.ToTimestamp(explanation.DeliveredAt),
            EndedAt = ApiValues.ToTimestamp(explanation.EndedAt),
            Step = ApiValues.ToName(explanation.Step),
            BusyWith = explanation.BusyWith.Length == 0
                ? ""
                : ResourceNames.Of(tenant, RolloutsMapping.Collection, explanation.BusyWith),
            Text = explanation.Text,
            Recall = ApiValues.ToName(explanation.Recall),
        };
        if (explanation.Wave is { } wave)
        {
            api.Wave = wave;
        }

        api.WaitsFor.AddRange(explanation.WaitingOn.Select(ApiValues.ToName));
        return api;
    }
}
