using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain;
using Muster.Domain.Rollouts;
using Muster.Gateway.Devices;
using Muster.Gateway.Grpc;
using Muster.Gateway.Strategies;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Rollouts of the API and of the domain.</summary>
internal static partial class RolloutsMapping
{
    public const string Collection = "rollouts";

    private const int PercentDefault = 100;

    private const double Tenths = 10;

    public static RolloutSpec ToSpec(ResourceId id, V1.Rollout rollout) => new()
    {
        ImageDigest = rollout.Image.Length == 0 ? "" : ResourceNames.ImageOf(rollout.Image).Digest.Value,
        Settings = ToSpec(rollout.Settings),
        RetryOf = ToRetried(rollout.RetryOf),

        // The catalogue knows it; the grain fills it in.
        TargetVersion = "",
        Filter = rollout.Filter,

        // Another rollout has other canaries, and the same request gives the same spec.
        Seed = rollout.HasSeed ? rollout.Seed : BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(id.Value))),
        Waves = [.. rollout.Waves.Select(ToSpec)],
        FailureGate = ToSpec(rollout.FailureGate),
        DevicesPerMinute = rollout.DevicesPerMinute,
        RateGrowth = ToSpec(rollout.RateGrowth),
        MaxUnavailable = rollout switch
        {
            { MaxUnavailablePercent: > 0 and var percent } => Amount.Percent(percent),
            { MaxUnavailable: > 0 and var count } => Amount.Count(count),
            _ => null,
        },
        MaxUnavailablePer = [.. rollout.MaxUnavailablePer.Select(ToSpec)],
        AllowTrackChange = rollout.AllowTrackChange,
        TakeSteps = rollout.TakeSteps,
        InProgressTimeout = rollout.InProgressTimeout?.ToTimeSpan() ?? RolloutSpec.InProgressTimeoutDefault,
        UndeliveredTimeout = rollout.UndeliveredTimeout?.ToTimeSpan() ?? RolloutSpec.UndeliveredTimeoutDefault,
        ApprovalsRequired = rollout.ApprovalsRequired,
        OverrideNeedsApprover = rollout.OverrideNeedsApprover,
        IncludeLateJoiners = rollout.IncludeLateJoiners,
        Priority = rollout.Priority,
        SupersedesOlder = rollout.SupersedesOlder,
        Retries = ToSpec(rollout.Retries),
        Windows = [.. rollout.Windows.Select(ToSpec)],
        InstallWindows = [.. rollout.InstallWindows.Select(ToSpec)],
        InProgressPolicy = ToSpec(rollout.InProgressPolicy),
        UndeliveredPolicy = ToSpec(rollout.UndeliveredPolicy),
    };

    public static V1.Rollout ToApi(Rollout rollout, ImmutableArray<WaveReport> reports, int approvalsNeeded)
    {
        var (spec, plan) = (rollout.Spec, rollout.Plan);
        var api = ToApi(rollout.Tenant, spec);
        api.Name = ResourceNames.Of(rollout.Tenant, Collection, rollout.Id.Value);
        api.State = ToApi(plan.State);
        api.TargetVersion = spec.TargetVersion;
        api.SettingCount = api.Settings.Count;
        api.Epoch = plan.Epoch;
        api.Members = plan.Members;
        api.LateJoiners = plan.LateJoiners;
        api.LeftOut = plan.LeftOut;
        api.WaitingOn = plan.State == RolloutState.AwaitingApproval ? Words(rollout, approvalsNeeded) : Words(reports);
        api.CreatedAt = ApiValues.ToTimestamp(rollout.CreatedAt);
        api.StartedAt = ApiValues.ToTimestamp(plan.StartedAt);
        api.EndedAt = ApiValues.ToTimestamp(plan.EndedAt);
        api.Etag = spec.Fingerprint;
        api.ApprovalsNeeded = approvalsNeeded;
        api.CreatedBy = rollout.CreatedBy.ToString();
        api.RollBack = ToApi(plan.RollBack);
        api.RetryOf = RetriedName(rollout.Tenant, spec.RetryOf?.Value);
        api.Seed = spec.Seed;
        api.EditedBy.AddRange(rollout.Editors.Select(editor => editor.ToString()));
        api.Approvals.AddRange(rollout.ValidApprovals.Select(approval => new V1.RolloutApproval
        {
            Approver = approval.Approver.ToString(),
            ApprovedAt = ApiValues.ToTimestamp(approval.At),
        }));
        api.WaveStatus.AddRange(plan.Waves.Select((wave, index) => ToApi(plan, wave, index)));
        api.Decisions.AddRange(plan.Decisions.Select((decision, i) =>
            ToApi(decision, plan.DecisionCount - plan.Decisions.Length + 1 + i)));
        api.BurnUp = ToApi(plan.BurnUp);
        api.Steps.AddRange(ToTaken(rollout.Tenant, spec));
        return api;
    }

    /// <summary>What is ordered, and nothing else.</summary>
    public static V1.Rollout ToApi(TenantId tenant, RolloutSpec spec)
    {
        var api = new V1.Rollout
        {
            Image = ImageName(tenant, spec.ImageDigest),
            Filter = spec.Filter,
            Strategy = StrategyNames.Of(tenant, spec.Strategy),
            FailureGate = ToApi(spec.FailureGate),
            DevicesPerMinute = spec.DevicesPerMinute,
            RateGrowth = ToApi(spec.RateGrowth),
            MaxUnavailable = spec.MaxUnavailable is { Kind: AmountKind.Count, Value: var count } ? count : 0,
            MaxUnavailablePercent = spec.MaxUnavailable is { Kind: AmountKind.Percent, Value: var percent } ? percent : 0,
            AllowTrackChange = spec.AllowTrackChange,
            TakeSteps = spec.TakeSteps,
            InProgressTimeout = Duration.FromTimeSpan(spec.InProgressTimeout),
            UndeliveredTimeout = Duration.FromTimeSpan(spec.UndeliveredTimeout),
            Retries = ToApi(spec.Retries),
            InProgressPolicy = ToApi(spec.InProgressPolicy),
            UndeliveredPolicy = ToApi(spec.UndeliveredPolicy),
            ApprovalsRequired = spec.ApprovalsRequired,
            OverrideNeedsApprover = spec.OverrideNeedsApprover,
            IncludeLateJoiners = spec.IncludeLateJoiners,
            Priority = spec.Priority,
            SupersedesOlder = spec.SupersedesOlder,
        };
        api.Settings.AddRange(spec.Settings?.Select(DevicesMapping.ToApi) ?? []);
        api.Waves.AddRange(spec.Waves.Select(ToApi));
        api.MaxUnavailablePer.AddRange(spec.MaxUnavailablePer.IsDefault ? [] : spec.MaxUnavailablePer.Select(ToApi));
        api.Windows.AddRange(spec.Windows.IsDefault ? [] : spec.Windows.Select(ToApi));
        api.InstallWindows.AddRange(spec.InstallWindows.IsDefault ? [] : spec.InstallWindows.Select(ToApi));
        return api;
    }

    public static V1.WaveExplanation ToApi(Rollout rollout, WaveExplanation explanation)
    {
        var plan = rollout.Plan;
        var api = new V1.WaveExplanation
        {
            Name = ResourceNames.Of(rollout.Tenant, Collection, rollout.Id.Value),
            RolloutState = ToApi(plan.State),
            Wave = plan.IsDraft
                ? new V1.Wave { Index = explanation.Wave, State = (V1.WaveState)explanation.State }
                : ToApi(plan, plan.Waves[explanation.Wave], explanation.Wave),
            LogCut = explanation.IsLogCut,
            SuccessGate = explanation.Success is { } success ? ToApi(success) : null,
            FailureGate = explanation.Failures is { } failures ? ToApi(failures, rollout.Spec.FailureGate) : null,
        };
        api.Why.AddRange(explanation.Why.Select(decision => ToApi(decision, number: 0)));
        api.Waits.AddRange(explanation.Waits.Select(wait => new V1.WaveWait
        {
            On = ApiValues.ToName(wait.On),
            Count = wait.Count,
            Until = ApiValues.ToTimestamp(wait.Until),
            Text = wait.Text,
        }));
        return api;
    }

    /// <summary>What a list knows of a rollout.</summary>
    public static V1.Rollout ToApi(RolloutRow row) => new()
    {
        Name = ResourceNames.Of(row.Tenant, Collection, row.Name),
        State = ToApi(row.State),
        Image = ImageName(row.Tenant, row.ImageDigest),
        SettingCount = row.Settings,
        TargetVersion = row.TargetVersion,
        Members = row.Members,
        Succeeded = row.Succeeded,
        Failed = row.Failed,
        CreatedAt = ApiValues.ToTimestamp(row.CreatedAt),
        RetryOf = RetriedName(row.Tenant, row.RetryOf),
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
        RolloutState.AwaitingApproval => V1.RolloutState.AwaitingApproval,
        RolloutState.Aborted => V1.RolloutState.Aborted,
        RolloutState.RollingBack => V1.RolloutState.RollingBack,
        RolloutState.RolledBack => V1.RolloutState.RolledBack,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown state {state}."),
    };

    private static WaveSpec ToSpec(V1.WaveSpec wave, int index) => new(
        wave.SizeCase == V1.WaveSpec.SizeOneofCase.Count ? Amount.Count(wave.Count) : Amount.Percent(wave.Percent),
        wave.HasSuccessPercent ? wave.SuccessPercent : PercentDefault,
        wave.MinSucceeded == 0 ? WaveSpec.MinSucceededDefault : wave.MinSucceeded,
        wave.Soak?.ToTimeSpan() ?? TimeSpan.Zero,
        wave.HasConnectedOnly ? wave.ConnectedOnly : index == 0)
    {
        NeedsApproval = wave.NeedsApproval,
        Filter = wave.Filter.Length == 0 ? null : wave.Filter,
        StratifyBy = [.. wave.StratifyBy],
    };

    private static FailureGate ToSpec(V1.FailureGate? gate) => gate is null
        ? FailureGate.Off
        : new FailureGate(
            gate.FailureCount == 0 ? null : gate.FailureCount,
            gate.FailurePercent == 0 ? null : gate.FailurePercent,
            gate.MinFinished == 0 ? 1 : gate.MinFinished)
        {
            Action = ToSpec(gate.Action),
        };

    private static RateGrowth? ToSpec(V1.RateGrowth? growth) => growth is null
        ? null
        : new RateGrowth(
            (int)Math.Round(growth.Factor * Tenths),
            growth.StepCase == V1.RateGrowth.StepOneofCase.Succeeded ? RateStep.Succeeded : RateStep.Offered,
            growth.StepCase == V1.RateGrowth.StepOneofCase.Succeeded ? growth.Succeeded : growth.Offered,
            growth.DevicesPerMinuteMax == 0 ? RolloutLimits.DevicesPerMinuteMax : growth.DevicesPerMinuteMax);

    private static V1.FailureGate ToApi(FailureGate gate) => new()
    {
        FailureCount = gate.FailureCount ?? 0,
        FailurePercent = gate.FailurePercent ?? 0,
        MinFinished = gate.MinFinished,
        Action = ToApi(gate.Action),
    };

    private static V1.SuccessReading ToApi(SuccessReading reading) => new()
    {
        Verdict = ApiValues.ToName(reading.Verdict.ToString()),
        Succeeded = reading.Succeeded,
        Counted = reading.Counted,
        Percent = reading.Percent,
        Least = reading.Least,
        Undecided = reading.Undecided,
    };

    private static V1.FailureReading ToApi(FailureReading reading, FailureGate gate) => new()
    {
        Fires = reading.Fires,
        Failed = reading.Failed,
        Finished = reading.Finished,
        FailedWaived = reading.FailedWaived,
        Gate = ToApi(gate),
    };

    private static V1.RateGrowth? ToApi(RateGrowth? growth)
    {
        if (growth is null)
        {
            return null;
        }

        var api = new V1.RateGrowth { Factor = growth.FactorTenths / Tenths, DevicesPerMinuteMax = growth.PerMinuteMax };
        if (growth.Step == RateStep.Succeeded)
        {
            api.Succeeded = growth.Devices;
        }
        else
        {
            api.Offered = growth.Devices;
        }

        return api;
    }

    private static V1.WaveSpec ToApi(WaveSpec wave)
    {
        var api = new V1.WaveSpec
        {
            SuccessPercent = wave.SuccessPercent,
            MinSucceeded = wave.MinSucceeded,
            Soak = Duration.FromTimeSpan(wave.Soak),
            ConnectedOnly = wave.ConnectedOnly,
            NeedsApproval = wave.NeedsApproval,
            Filter = wave.Filter ?? "",
        };
        api.StratifyBy.AddRange(wave.IsStratified ? wave.StratifyBy : []);
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

    private static V1.Wave ToApi(RolloutPlan plan, WavePlan wave, int index) =>
        WithAttempts(wave.Totals, WithWayBack(wave, WithStrata(wave.Cut, WithNumbers(plan, wave, index))));

    private static V1.Wave WithNumbers(RolloutPlan plan, WavePlan wave, int index) => new()
    {
        Index = index,
        State = (V1.WaveState)wave.State,
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
        ApprovalEtag = plan.ApprovalEtag(index),
        AwaitingSince = ApiValues.ToTimestamp(wave.AwaitingSince),
        ApprovedBy = wave.Approval?.Approver.ToString() ?? "",
        ApprovedAt = ApiValues.ToTimestamp(wave.Approval?.At),
    };

    public static V1.RolloutDecision ToApi(PlanDecision decision, long number)
    {
        var api = new V1.RolloutDecision
        {
            At = ApiValues.ToTimestamp(decision.At),
            Decision = decision.Reason,
            Reason = decision.Text,
            Actor = decision.Actor.ToString(),
            Number = number,
        };
        if (decision.Wave is { } wave)
        {
            api.Wave = wave;
        }

        return api;
    }

    private static string Words(Rollout rollout, int approvalsNeeded) => string.Create(
        CultureInfo.InvariantCulture, $"approvals: {rollout.ValidApprovals.Length} of {approvalsNeeded}");

    private static string Words(ImmutableArray<WaveReport> reports) => reports.IsDefault
        ? ""
        : string.Join("; ", reports
            .Select((report, index) => (report, index))
            .Where(wave => !wave.report.WaitingOn.IsDefaultOrEmpty)
            .Select(wave => string.Create(
                CultureInfo.InvariantCulture,
                $"wave {wave.index}: {string.Join(", ", wave.report.WaitingOn.Select(on => Word(on, wave.report)))}")));
}
