using Google.Protobuf.WellKnownTypes;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>The course of a rollout, so far and from here on.</summary>
internal static partial class RolloutsMapping
{
    public static V1.RolloutEstimate ToApi(RolloutEstimate estimate) => new()
    {
        EndsAt = ApiValues.ToTimestamp(estimate.EndsAt),
        Unknown = ApiValues.ToName(estimate.Stop),
        StopsAt = ApiValues.ToTimestamp(estimate.StopsAt),
        Text = estimate.Text,
    };

    private static V1.BurnUp? ToApi(BurnUp? course)
    {
        if (course is null)
        {
            return null;
        }

        var api = new V1.BurnUp { Interval = Duration.FromTimeSpan(course.Interval) };
        api.Points.AddRange(course.Points.Select(point => new V1.BurnUpPoint
        {
            At = ApiValues.ToTimestamp(point.At),
            Offered = point.Offered,
            Succeeded = point.Succeeded,
            Failed = point.Failed,
        }));
        return api;
    }
}
