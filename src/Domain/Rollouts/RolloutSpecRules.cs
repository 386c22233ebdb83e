using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Domain.Rollouts;

/// <summary>One thing that is wrong with a spec; the field is named as in the API, for example <c>waves[1].size</c>.</summary>
public readonly record struct SpecProblem(string Field, string Text);

/// <summary>Decides whether a spec can be a rollout; finds every problem at once.</summary>
public static class RolloutSpecRules
{
    /// <summary>Empty when the spec is valid.</summary>
    public static ImmutableArray<SpecProblem> Validate(RolloutSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var problems = ImmutableArray.CreateBuilder<SpecProblem>();
        ChangeRules.Check(spec, problems);
        if (InventoryFilter.Parse(spec.Filter ?? "", InventoryFields.Device).Error is { } unreadable)
        {
            problems.Add(new("filter", unreadable.Message));
        }

        CheckWaves(spec.Waves, problems);
        CheckFailureGate(spec.FailureGate, problems);
        CheckPace(spec, problems);
        CheckApprovals(spec, problems);
        LateJoiners.Check(spec, problems);
        AttemptRules.Check(spec, problems);
        CheckTurn(spec, problems);
        RolloutPath.Check(spec, problems);
        return problems.ToImmutable();
    }

    private static void CheckWaves(ImmutableArray<WaveSpec> waves, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (waves.IsDefaultOrEmpty || waves.Length > RolloutLimits.WavesMax)
        {
            problems.Add(new("waves", $"has 1 to {RolloutLimits.WavesMax} waves"));
            return;
        }

        var percent = 0;
        for (var i = 0; i < waves.Length; i++)
        {
            CheckWave(waves[i], $"waves[{i}]", problems);
            if (waves[i].Size is { Kind: AmountKind.Percent } size)
            {
                if (size.Value <= percent)
                {
                    problems.Add(new($"waves[{i}].size", $"is cumulative and must be above the {percent} % before it"));
                }

                percent = Math.Max(percent, size.Value);
            }
        }

        WaveRules.Check(waves, problems);
    }

    private static void CheckWave(WaveSpec wave, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        CheckAmount(wave.Size, field + ".size", problems);
        if (wave.SuccessPercent is < 0 or > 100)
        {
            problems.Add(new(field + ".success_percent", "is from 0 to 100"));
        }

        if (wave.MinSucceeded is < 1 or > RolloutLimits.DevicesMax)
        {
            problems.Add(new(field + ".min_succeeded", $"is from 1 to {RolloutLimits.DevicesMax}"));
        }

        if (wave.Soak < TimeSpan.Zero || wave.Soak > RolloutLimits.SoakMax)
        {
            problems.Add(new(field + ".soak", $"is from 0 to {RolloutLimits.SoakMax.TotalDays:0} days"));
        }
    }

    private static void CheckAmount(Amount amount, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        var valid = amount switch
        {
            { Kind: AmountKind.Count, Value: >= 1 and <= RolloutLimits.DevicesMax } => true,
            { Kind: AmountKind.Percent, Value: >= 1 and <= 100 } => true,
            _ => false,
        };
        if (!valid)
        {
            problems.Add(new(field, "is a count of at least 1 or a percentage from 1 to 100"));
        }
    }

    private static void CheckFailureGate(FailureGate? gate, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (gate is null)
        {
            problems.Add(new("failure_gate", "is missing"));
            return;
        }

        if (gate.FailureCount is < 1)
        {
            problems.Add(new("failure_gate.failure_count", "is at least 1"));
        }

        if (gate.FailurePercent is < 1 or > 100)
        {
            problems.Add(new("failure_gate.failure_percent", "is from 1 to 100"));
        }

        if (gate.MinFinished < 1)
        {
            problems.Add(new("failure_gate.min_finished", "is at least 1"));
        }

        if (gate.Action is not (FailureAction.Suspend or FailureAction.Abort or FailureAction.RollBack))
        {
            problems.Add(new("failure_gate.action", "is to suspend, to abort or to roll back"));
        }
    }

    private static void CheckApprovals(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.ApprovalsRequired is < 0 or > RolloutLimits.ApprovalsMax)
        {
            problems.Add(new("approvals_required", $"is from 0 to {RolloutLimits.ApprovalsMax}"));
        }
    }

    private static void CheckTurn(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.Priority is < 0 or > RolloutLimits.PriorityMax)
        {
            problems.Add(new("priority", $"is from 0 to {RolloutLimits.PriorityMax}"));
        }

        if (spec is { SupersedesOlder: true, Kind: not ChangeKind.OsImage })
        {
            problems.Add(new("supersedes_older", "is of OS images only: settings stand beside one another"));
        }
    }

    private static void CheckPace(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.DevicesPerMinute is < 0 or > RolloutLimits.DevicesPerMinuteMax)
        {
            problems.Add(new("devices_per_minute", $"is from 0 (no limit) to {RolloutLimits.DevicesPerMinuteMax}"));
        }

        if (spec.RateGrowth is { } growth)
        {
            CheckGrowth(growth, spec.DevicesPerMinute, problems);
        }

        if (spec.MaxUnavailable is { } limit)
        {
            CheckAmount(limit, "max_unavailable", problems);
        }

        BudgetRules.Check(spec.MaxUnavailablePer, problems);

        if (spec.InProgressTimeout < RolloutLimits.TimeoutMin || spec.InProgressTimeout > RolloutLimits.InProgressTimeoutMax)
        {
            problems.Add(new("in_progress_timeout", $"is from 1 minute to {RolloutLimits.InProgressTimeoutMax.TotalDays:0} days"));
        }

        if (spec.UndeliveredTimeout < RolloutLimits.TimeoutMin || spec.UndeliveredTimeout > RolloutLimits.UndeliveredTimeoutMax)
        {
            problems.Add(new("undelivered_timeout", $"is from 1 minute to {RolloutLimits.UndeliveredTimeoutMax.TotalDays:0} days"));
        }
    }

    private static void CheckGrowth(RateGrowth growth, int perMinute, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (perMinute < 1)
        {
            problems.Add(new("rate_growth", "needs devices_per_minute to begin with"));
        }

        if (growth.FactorTenths is < RateGrowth.FactorTenthsMin or > RateGrowth.FactorTenthsMax)
        {
            problems.Add(new("rate_growth.factor", "is from 1.1 to 5.0"));
        }

        if (growth.Step is not (RateStep.Offered or RateStep.Succeeded) || growth.Devices is < 1 or > RolloutLimits.DevicesMax)
        {
            problems.Add(new("rate_growth.step", $"is from 1 to {RolloutLimits.DevicesMax} devices offered or succeeded"));
        }

        if (growth.PerMinuteMax < perMinute || growth.PerMinuteMax > RolloutLimits.DevicesPerMinuteMax)
        {
            problems.Add(new(
                "rate_growth.devices_per_minute_max", $"is from devices_per_minute to {RolloutLimits.DevicesPerMinuteMax}"));
        }
    }
}
