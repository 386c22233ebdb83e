using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Rollouts of the API and of the domain.</summary>
internal static class RolloutsMapping
{
    public const string Collection = "rollouts";

    private const int PercentDefault = 100;

    public static RolloutSpec ToSpec(ResourceId id, V1.Rollout rollout) => new()
    {
        ImageDigest = ResourceNames.ImageOf(rollout.Image).Digest.Value,

        // The catalogue knows it; the grain fills it in.
        TargetVersion = "",
        Filter = rollout.Filter,

        // Another rollout has other canaries, and the same request gives the same spec.
        Seed = BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id.Value))),
        Waves = [.. rollout.Waves.Select(ToSpec)],
        FailureGate = ToSpec(rollout.FailureGate),
        DevicesPerMinute = rollout.DevicesPerMinute,
        MaxUnavailable = rollout.MaxUnavailable == 0 ? null : Amount.Count(rollout.MaxUnavailable),
        AllowTrackChange = rollout.AllowTrackChange,
        InProgressTimeout = rollout.InProgressTimeout?.ToTimeSpan() ?? RolloutSpec.InProgressTimeoutDefault,
        UndeliveredTimeout = rollout.UndeliveredTimeout?.ToTimeSpan() ?? RolloutSpec.UndeliveredTimeoutDefault,
    };

    public static V1.Rollout ToApi(Rollout rollout, ImmutableArray<WaveReport> reports)
    {
        var (spec, plan) = (rollout.Spec, rollout.Plan);
        var api = new V1.Rollout
        {
            Name = ResourceNames.Of(rollout.Tenant, Collection, rollout.Id.Value),
            State = ToApi(plan.State),
            Image = ResourceNames.Of(rollout.Tenant, "images", spec.ImageDigest),
            TargetVersion = spec.TargetVersion,
            Filter = spec.Filter,
            FailureGate = new V1.FailureGate
            {
                FailureCount = spec.FailureGate.FailureCount ?? 0,
                FailurePercent = spec.FailureGate.FailurePercent ?? 0,
                MinFinished = spec.FailureGate.MinFinished,
            },
            DevicesPerMinute = spec.DevicesPerMinute,
            MaxUnavailable = spec.MaxUnavailable?.Value ?? 0,
            AllowTrackChange = spec.AllowTrackChange,
            InProgressTimeout = Duration.FromTimeSpan(spec.InProgressTimeout),
            UndeliveredTimeout = Duration.FromTimeSpan(spec.UndeliveredTimeout),
            Epoch = plan.Epoch,
            Members = plan.Members,
            WaitingOn = Words(reports),
            CreatedAt = ApiValues.ToTimestamp(rollout.CreatedAt),
            StartedAt = ApiValues.ToTimestamp(plan.StartedAt),
            EndedAt = ApiValues.ToTimestamp(plan.EndedAt),
        };
        api.Waves.AddRange(spec.Waves.Select(ToApi));
        api.WaveStatus.AddRange(plan.Waves.Select(ToApi));
        api.Decisions.AddRange(plan.Decisions.Select(ToApi));
        return api;
    }

    /// <summary>What a list knows of a rollout.</summary>
    public static V1.Rollout ToApi(RolloutRow row) => new()
    {
        Name = ResourceNames.Of(row.Tenant, Collection, row.Name),
        State = ToApi(row.State),
        Image = ResourceNames.Of(row.Tenant, "images", row.ImageDigest),
        TargetVersion = row.TargetVersion,
        Members = row.Members,
        Succeeded = row.Succeeded,
        Failed = row.Failed,
        CreatedAt = ApiValues.ToTimestamp(row.CreatedAt),
    };

    public static V1.RolloutState ToApi(RolloutState state) => state switch
    {
        RolloutState.Unspecified => V1.RolloutState.Unspecified,
        RolloutState.Draft => V1.RolloutState.Draft,
        RolloutState.Running => V1.RolloutState.Running,
        RolloutState.Paused => V1.RolloutState.Paused,
        RolloutState.Suspended => V1.RolloutState.Suspended,
        RolloutState.Cancelling => V1.RolloutState.Cancelling,
        RolloutState.Succeeded => V1.RolloutState.Succeeded,
        RolloutState.Cancelled => V1.RolloutState.Cancelled,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown state {state}."),
    };

    private static WaveSpec ToSpec(V1.WaveSpec wave, int index) => new(
        wave.SizeCase == V1.WaveSpec.SizeOneofCase.Count ? Amount.Count(wave.Count) : Amount.Percent(wave.Percent),
        wave.HasSuccessPercent ? wave.SuccessPercent : PercentDefault,
        WaveSpec.MinSucceededDefault,
        wave.Soak?.ToTimeSpan() ?? TimeSpan.Zero,
        wave.HasConnectedOnly ? wave.ConnectedOnly : index == 0);

    private static FailureGate ToSpec(V1.FailureGate? gate) => gate is null
        ? FailureGate.Off
        : new FailureGate(
            gate.FailureCount == 0 ? null : gate.FailureCount,
            gate.FailurePercent == 0 ? null : gate.FailurePercent,
            gate.MinFinished == 0 ? 1 : gate.MinFinished);

    private static V1.WaveSpec ToApi(WaveSpec wave)
    {
        var api = new V1.WaveSpec
        {
            SuccessPercent = wave.SuccessPercent,
            Soak = Duration.FromTimeSpan(wave.Soak),
            ConnectedOnly = wave.ConnectedOnly,
        };
        if (wave.Size.Kind == AmountKind.Count)
        {
            api.Count = wave.Size.Value;
        }
        else
        {
            api.Percent = wave.Size.Value;
        }

        return api;
    }

    private static V1.Wave ToApi(WavePlan wave, int index) => new()
    {
        Index = index,
        State = (V1.WaveState)wave.State,
        Members = wave.Cut.Members,
        Waiting = wave.Totals.Waiting,
        WaitingOffline = wave.Totals.WaitingOffline,
        InProgress = wave.Totals.InProgress,
        Succeeded = wave.Totals.Succeeded,
        Failed = wave.Totals.Failed,
        TimedOut = wave.Totals.TimedOut,
        Rejected = wave.Totals.Rejected,
        Skipped = wave.Totals.Skipped,
        Removed = wave.Totals.Removed,
        StartedAt = ApiValues.ToTimestamp(wave.StartedAt),
        PassedAt = ApiValues.ToTimestamp(wave.PassedAt),
    };

    private static V1.RolloutDecision ToApi(PlanDecision decision)
    {
        var api = new V1.RolloutDecision
        {
            At = ApiValues.ToTimestamp(decision.At),
            Decision = decision.Reason,
            Reason = decision.Text,
            Actor = decision.Actor.ToString(),
        };
        if (decision.Wave is { } wave)
        {
            api.Wave = wave;
        }

        return api;
    }

    private static string Words(ImmutableArray<WaveReport> reports) => reports.IsDefault
        ? ""
        : string.Join("; ", reports
            .Select((report, index) => (report.WaitingOn, index))
            .Where(wave => !wave.WaitingOn.IsDefaultOrEmpty)
            .Select(wave => string.Create(
                CultureInfo.InvariantCulture,
                $"wave {wave.index}: {string.Join(", ", wave.WaitingOn.Select(reason => ApiValues.ToName(reason)))}")));
}
