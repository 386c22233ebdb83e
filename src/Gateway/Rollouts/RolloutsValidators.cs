using Google.Protobuf.WellKnownTypes;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>What requests of the rollouts service have to look like; whether a spec makes sense is the domain's to say.</summary>
internal static class RolloutsValidators
{
    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetRolloutRequest>((request, problems) => problems.RolloutName(request.Name))
        .Add<V1.ListRolloutsRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.CreateRolloutRequest>(CheckCreate)
        .Add<V1.StartRolloutRequest>((request, problems) => problems.RolloutName(request.Name))
        .Add<V1.PauseRolloutRequest>((request, problems) => CheckOrder(request.Name, request.Reason, problems))
        .Add<V1.ResumeRolloutRequest>((request, problems) => CheckOrder(request.Name, request.Reason, problems))
        .Add<V1.CancelRolloutRequest>((request, problems) => CheckOrder(request.Name, request.Reason, problems))
        .Add<V1.WatchRolloutRequest>((request, problems) => problems.RolloutName(request.Name));

    private static void CheckOrder(string name, string reason, Problems problems)
    {
        problems.RolloutName(name);
        problems.Length("reason", reason, 0, RolloutLimits.ReasonCharactersMax);
    }

    private static void CheckCreate(V1.CreateRolloutRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        problems.ResourceIdOf("rollout_id", request.RolloutId);
        problems.RequestId(request.RequestId);
        if (request.Rollout is not { } rollout)
        {
            problems.Add("rollout", "is required");
            return;
        }

        problems.ImageName("rollout.image", rollout.Image);
        CheckNumber("rollout.devices_per_minute", rollout.DevicesPerMinute, problems);
        CheckNumber("rollout.max_unavailable", rollout.MaxUnavailable, problems);
        CheckSpan("rollout.in_progress_timeout", rollout.InProgressTimeout, problems);
        CheckSpan("rollout.undelivered_timeout", rollout.UndeliveredTimeout, problems);
        problems.Require(
            rollout.Waves.Count is >= 1 and <= RolloutLimits.WavesMax, "rollout.waves", $"1 to {RolloutLimits.WavesMax} waves");
        for (var i = 0; i < rollout.Waves.Count; i++)
        {
            var wave = rollout.Waves[i];
            problems.Require(wave.SizeCase != V1.WaveSpec.SizeOneofCase.None, $"rollout.waves[{i}].size", "count or percent");
            CheckSpan($"rollout.waves[{i}].soak", wave.Soak, problems);
        }

        if (rollout.FailureGate is { } gate)
        {
            CheckNumber("rollout.failure_gate.failure_count", gate.FailureCount, problems);
            CheckNumber("rollout.failure_gate.failure_percent", gate.FailurePercent, problems);
            CheckNumber("rollout.failure_gate.min_finished", gate.MinFinished, problems);
        }
    }

    private static void CheckNumber(string field, int value, Problems problems) =>
        problems.Require(value >= 0, field, "0 or more");

    private static void CheckSpan(string field, Duration? value, Problems problems)
    {
        // The largest duration that the rules know is a year; far above it the conversion itself overflows.
        const long SecondsMax = 10L * 366 * 24 * 3600;
        const int NanosMax = 999_999_999;
        problems.Require(
            value is null || (value.Seconds is >= 0 and <= SecondsMax && value.Nanos is >= 0 and <= NanosMax),
            field,
            "a duration from 0 to 10 years");
    }
}
