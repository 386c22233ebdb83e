using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using Muster.Gateway.Strategies;
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
        .Add<V1.RollBackRolloutRequest>((request, problems) => CheckOrder(request.Name, request.Reason, problems))
        .Add<V1.RetryRolloutRequest>(CheckRetry)
        .Add<V1.WatchRolloutRequest>((request, problems) => problems.RolloutName(request.Name))
        .Add<V1.SimulateRolloutRequest>(CheckSimulate)
        .Add<V1.ExplainWaveRequest>((request, problems) =>
        {
            problems.RolloutName(request.Name);
            problems.Require(request.Wave is >= 0 and <= RolloutLimits.WavesMax, "wave", $"0 to {RolloutLimits.WavesMax}");
        })
        .Add<V1.UpdateRolloutRequest>(CheckUpdate)
        .Add<V1.ApproveRolloutRequest>((request, problems) =>
        {
            problems.RolloutName(request.Name);
            problems.Length("etag", request.Etag, 1, EtagCharactersMax);
        })
        .Add<V1.ApproveWaveRequest>(CheckApproval)
        .Add<V1.ExplainDeviceRequest>(CheckExplainDevice)
        .Add<V1.WatchRolloutDecisionsRequest>((request, problems) =>
        {
            problems.RolloutOrParent(request.Parent);
            problems.Length("resume_token", request.ResumeToken, 0, DecisionTokens.CharactersMax);
        });

    /// <summary>An etag is an epoch, a time and a number, or a hash; far above it nothing can be one.</summary>
    private const int EtagCharactersMax = 80;

    private static void CheckApproval(V1.ApproveWaveRequest request, Problems problems)
    {
        problems.RolloutName(request.Name);
        problems.Require(request.Wave is >= 0 and <= RolloutLimits.WavesMax, "wave", $"0 to {RolloutLimits.WavesMax}");
        problems.Length("etag", request.Etag, 0, EtagCharactersMax);
    }

    private static void CheckExplainDevice(V1.ExplainDeviceRequest request, Problems problems)
    {
        problems.RolloutName(request.Name);
        problems.DeviceName("device", request.Device);
        problems.Require(
            !ResourceNames.TryParse(request.Name, RolloutsMapping.Collection, out var rollouts, out _)
            || !ResourceNames.TryParse(request.Device, "devices", out var devices, out _)
            || rollouts == devices,
            "device",
            "a device of the rollout's tenant");
    }

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
        CheckSpec(request.Rollout, request.Parent, problems);
        _ = ResourceNames.TryParseParent(request.Parent, out var tenant);
        CheckRetryOf(request.Rollout, tenant, problems);
    }

    private static void CheckRetry(V1.RetryRolloutRequest request, Problems problems)
    {
        problems.RolloutName(request.Name);
        problems.ResourceIdOf("rollout_id", request.RolloutId);
        problems.RequestId(request.RequestId);
        problems.Require(request.Waves.Count <= RolloutLimits.WavesMax, "waves", $"0 to {RolloutLimits.WavesMax} waves");
        CheckListedWaves(request.Waves, "waves", problems);
        CheckFailureGate(request.FailureGate, "failure_gate", problems);

        CheckFilter("filter", request.Filter, problems);
        for (var i = 0; i < Math.Min(request.Waves.Count, RolloutLimits.WavesMax); i++)
        {
            CheckFilter($"waves[{i}].filter", request.Waves[i].Filter, problems);
        }

        CheckWaveFilters(request.WaveFilters, problems);
    }

    /// <summary>By itself: half a parenthesis would make another filter of two.</summary>
    private static void CheckFilter(string field, string filter, Problems problems)
    {
        if (InventoryFilter.Parse(filter, InventoryFields.Device).Error is { } unreadable)
        {
            problems.Add(field, unreadable.Message);
        }
    }

    private static void CheckWaveFilters(RepeatedField<V1.WaveFilter> filters, Problems problems)
    {
        problems.Require(
            filters.Count <= RolloutLimits.WavesMax, "wave_filters", $"0 to {RolloutLimits.WavesMax} filters");
        for (var i = 0; i < Math.Min(filters.Count, RolloutLimits.WavesMax); i++)
        {
            var (field, wave) = ($"wave_filters[{i}]", filters[i].Wave);
            CheckNumber($"{field}.wave", wave, problems);
            problems.Require(
                filters.Take(i).All(before => before.Wave != wave), $"{field}.wave", "named once: join the filters of a wave with AND");
            problems.Require(!string.IsNullOrWhiteSpace(filters[i].Filter), $"{field}.filter", "a filter");
            if (InventoryFilter.Parse(filters[i].Filter, InventoryFields.Device).Error is { } unreadable)
            {
                problems.Add($"{field}.filter", unreadable.Message);
            }
        }
    }

    /// <summary>Members of another tenant are none of this one's.</summary>
    private static void CheckRetryOf(V1.Rollout? rollout, TenantId tenant, Problems problems)
    {
        if (rollout is { RetryOf.Length: > 0 })
        {
            problems.RolloutName("rollout.retry_of", rollout.RetryOf);
            problems.Require(
                !ResourceNames.TryParse(rollout.RetryOf, RolloutsMapping.Collection, out var other, out _) || other == tenant,
                "rollout.retry_of",
                "a rollout of the same tenant");
        }
    }

    private static void CheckUpdate(V1.UpdateRolloutRequest request, Problems problems)
    {
        problems.RolloutName(request.Rollout?.Name ?? "");
        problems.Length("rollout.etag", request.Rollout?.Etag ?? "", 0, EtagCharactersMax);
        CheckSpec(request.Rollout, request.Rollout?.Name ?? "", problems);
        _ = ResourceNames.TryParse(request.Rollout?.Name ?? "", RolloutsMapping.Collection, out var tenant, out _);
        CheckRetryOf(request.Rollout, tenant, problems);
    }

    /// <param name="rollout">What is ordered.</param>
    /// <param name="owner">A name of the tenant that orders it.</param>
    /// <param name="problems">What is wrong.</param>
    private static void CheckSpec(V1.Rollout? rollout, string owner, Problems problems)
    {
        if (rollout is null)
        {
            problems.Add("rollout", "is required");
            return;
        }

        CheckChange(rollout, problems);
        CheckCourse(rollout, owner, problems);
    }

    /// <summary>A course of its own, or a strategy and nothing beside it.</summary>
    private static void CheckCourse(V1.Rollout rollout, string owner, Problems problems)
    {
        if (rollout.Strategy.Length == 0)
        {
            CheckWaves(rollout, problems);
            return;
        }

        problems.Strategy("rollout.strategy", rollout.Strategy);
        problems.Require(StrategyNames.AreOfOneTenant(rollout.Strategy, owner), "rollout.strategy", "a strategy of the rollout's tenant");
        foreach (var field in RolloutFields.CourseIn(rollout))
        {
            problems.Add($"rollout.{field}", "is the strategy's: leave it out, or leave the strategy out");
        }
    }

    /// <summary>Settings are judged here already: what is far too long cannot even become a spec.</summary>
    private static void CheckChange(V1.Rollout rollout, Problems problems)
    {
        if (rollout.Image.Length > 0 == rollout.Settings.Count > 0)
        {
            problems.Add("rollout.image", "exactly one of image and settings");
            problems.Add("rollout.settings", "exactly one of image and settings");
        }

        if (rollout.Image.Length > 0)
        {
            problems.ImageName("rollout.image", rollout.Image);
        }

        foreach (var (field, text) in SettingRules.Validate(RolloutsMapping.ToSettings(rollout.Settings)))
        {
            problems.Add($"rollout.{field}", text);
        }
    }

    private static void CheckSimulate(V1.SimulateRolloutRequest request, Problems problems)
    {
        problems.Parent(request.Parent);
        problems.Require(request.Fleet is not null, "fleet", "is required");
        problems.Require(
            request.Fleet is not { Groups.Count: > 0 } || request.Fleet is { Members: 0, HasConnected: false },
            "fleet.groups",
            "instead of members and connected");
        var assumptions = request.Assumptions ?? new V1.SimulationAssumptions();
        CheckSpan("assumptions.takes_median", assumptions.TakesMedian, problems);
        CheckSpan("assumptions.takes_at_most", assumptions.TakesAtMost, problems);
        CheckSpan("assumptions.away_mean", assumptions.AwayMean, problems);
        CheckSpan("assumptions.approval_takes", assumptions.ApprovalTakes, problems);
        if (request.Rollout is { } rollout)
        {
            CheckCourse(rollout, request.Parent, problems);
        }
        else
        {
            problems.Add("rollout", "is required");
        }
    }

    /// <summary>All but the image: a simulation has none, nor has a strategy.</summary>
    public static void CheckWaves(V1.Rollout rollout, Problems problems)
    {
        CheckNumber("rollout.devices_per_minute", rollout.DevicesPerMinute, problems);
        CheckNumber("rollout.max_unavailable", rollout.MaxUnavailable, problems);
        CheckNumber("rollout.max_unavailable_percent", rollout.MaxUnavailablePercent, problems);
        problems.Require(
            rollout.MaxUnavailable == 0 || rollout.MaxUnavailablePercent == 0,
            "rollout.max_unavailable_percent",
            "not beside max_unavailable");
        for (var i = 0; i < rollout.MaxUnavailablePer.Count; i++)
        {
            problems.Require(
                rollout.MaxUnavailablePer[i].LimitCase != V1.ValueBudget.LimitOneofCase.None,
                $"rollout.max_unavailable_per[{i}].limit",
                "count or percent");
        }

        CheckGrowth(rollout.RateGrowth, problems);
        CheckAttempts(rollout, problems);
        CheckSpan("rollout.in_progress_timeout", rollout.InProgressTimeout, problems);
        CheckSpan("rollout.undelivered_timeout", rollout.UndeliveredTimeout, problems);
        problems.Require(
            rollout.Waves.Count is >= 1 and <= RolloutLimits.WavesMax, "rollout.waves", $"1 to {RolloutLimits.WavesMax} waves");
        CheckListedWaves(rollout.Waves, "rollout.waves", problems);
        CheckFailureGate(rollout.FailureGate, "rollout.failure_gate", problems);
    }

    private static void CheckListedWaves(RepeatedField<V1.WaveSpec> waves, string field, Problems problems)
    {
        for (var i = 0; i < waves.Count; i++)
        {
            var wave = waves[i];
            problems.Require(wave.SizeCase != V1.WaveSpec.SizeOneofCase.None, $"{field}[{i}].size", "count or percent");
            CheckSpan($"{field}[{i}].soak", wave.Soak, problems);
            CheckNumber($"{field}[{i}].min_succeeded", wave.MinSucceeded, problems);
            problems.Require(
                wave.StratifyBy.Count <= WaveSorting.FieldsMax, $"{field}[{i}].stratify_by", $"at most {WaveSorting.FieldsMax} fields");
        }
    }

    private static void CheckFailureGate(V1.FailureGate? gate, string field, Problems problems)
    {
        if (gate is null)
        {
            return;
        }

        CheckNumber($"{field}.failure_count", gate.FailureCount, problems);
        CheckNumber($"{field}.failure_percent", gate.FailurePercent, problems);
        CheckNumber($"{field}.min_finished", gate.MinFinished, problems);
        problems.Require(System.Enum.IsDefined(gate.Action), $"{field}.action", "SUSPEND, ABORT or ROLL_BACK");
    }

    private static void CheckGrowth(V1.RateGrowth? growth, Problems problems)
    {
        if (growth is null)
        {
            return;
        }

        // The domain counts in tenths: anything finer would be another rate than the one that was asked for.
        const double Tenths = 10;
        const double Fuzz = 1e-6;
        var tenths = Math.Round(growth.Factor * Tenths);
        problems.Require(
            tenths is >= RateGrowth.FactorTenthsMin and <= RateGrowth.FactorTenthsMax
            && Math.Abs((growth.Factor * Tenths) - tenths) < Fuzz,
            "rollout.rate_growth.factor",
            "1.1 to 5.0 with one digit behind the point");
        problems.Require(
            growth.StepCase != V1.RateGrowth.StepOneofCase.None, "rollout.rate_growth.step", "offered or succeeded");
        CheckNumber("rollout.rate_growth.devices_per_minute_max", growth.DevicesPerMinuteMax, problems);
    }

    private static void CheckAttempts(V1.Rollout rollout, Problems problems)
    {
        if (rollout.Retries is { } retries)
        {
            problems.Require(
                retries.MaxAttempts is >= 1 and <= RetryPolicy.MaxAttemptsMax,
                "rollout.retries.max_attempts",
                $"1 to {RetryPolicy.MaxAttemptsMax}");
            CheckSpan("rollout.retries.backoff", retries.Backoff, problems);
            CheckSpan("rollout.retries.backoff_max", retries.BackoffMax, problems);
        }

        for (var i = 0; i < rollout.Windows.Count; i++)
        {
            CheckSpan($"rollout.windows[{i}].duration", rollout.Windows[i].Duration, problems);
        }

        for (var i = 0; i < rollout.InstallWindows.Count; i++)
        {
            CheckSpan($"rollout.install_windows[{i}].duration", rollout.InstallWindows[i].Duration, problems);
        }

        problems.Require(
            System.Enum.IsDefined(rollout.InProgressPolicy), "rollout.in_progress_policy", "FAIL, SKIP or WAIT");
        problems.Require(
            System.Enum.IsDefined(rollout.UndeliveredPolicy), "rollout.undelivered_policy", "FAIL, SKIP or WAIT");
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
