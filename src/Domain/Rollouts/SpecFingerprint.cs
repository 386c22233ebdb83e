using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>
/// What approvals of a spec are bound to: SHA-256 over every field of it. Each value stands behind its length, so that no two specs run
/// together; a test changes each field there is and wants another fingerprint.
/// </summary>
internal static class SpecFingerprint
{
    public static string Of(RolloutSpec spec) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(TextOf(spec))));

    /// <summary>How much there is to a spec: bytes of what is hashed, which is never less than what is stored.</summary>
    public static int SizeOf(RolloutSpec spec) => Encoding.UTF8.GetByteCount(TextOf(spec));

    private static string TextOf(RolloutSpec spec)
    {
        var text = new StringBuilder();
        Add(text, spec.ImageDigest, spec.TargetVersion, spec.Filter, spec.Seed, spec.Waves.Length);
        foreach (var wave in spec.Waves)
        {
            Add(text, (int)wave.Size.Kind, wave.Size.Value, wave.SuccessPercent, wave.MinSucceeded, wave.Soak.Ticks, wave.ConnectedOnly);
            Add(text, wave.NeedsApproval);
        }

        Add(text, spec.FailureGate.FailureCount, spec.FailureGate.FailurePercent, spec.FailureGate.MinFinished);
        Add(text, (int)spec.FailureGate.Action);
        Add(text, spec.DevicesPerMinute, (int?)spec.MaxUnavailable?.Kind, spec.MaxUnavailable?.Value, spec.AllowTrackChange);
        Add(text, spec.InProgressTimeout.Ticks, spec.UndeliveredTimeout.Ticks);
        Add(text, spec.RateGrowth?.FactorTenths, (int?)spec.RateGrowth?.Step, spec.RateGrowth?.Devices, spec.RateGrowth?.PerMinuteMax);
        Add(text, spec.ApprovalsRequired, spec.OverrideNeedsApprover);
        Add(text, spec.Retries?.MaxAttempts, spec.Retries?.Backoff.Ticks, spec.Retries?.BackoffMax.Ticks);
        Add(text, (int)spec.InProgressPolicy, (int)spec.UndeliveredPolicy, spec.Windows.IsDefault ? 0 : spec.Windows.Length);
        foreach (var window in spec.Windows.IsDefault ? [] : spec.Windows)
        {
            Add(text, window.Recurrence, window.Duration.Ticks, window.TimeZone);
        }

        AddLater(text, spec);
        AddOrigin(text, spec);
        return text.ToString();
    }

    /// <summary>What specs got later: not at all where it is not ordered, so that older approvals are still of what they were of.</summary>
    private static void AddLater(StringBuilder text, RolloutSpec spec)
    {
        // Behind everything else, and not at all without them: approvals of images are older than settings.
        if (spec.Settings is { } settings)
        {
            Add(text, settings.Count());
            foreach (var (name, value) in settings)
            {
                Add(text, name, value);
            }
        }

        // As with settings: what was approved before there were filters and strata of waves is still what was approved.
        if (WaveSorting.Of(spec.Waves) is not null)
        {
            Add(text, "waves");
            foreach (var wave in spec.Waves)
            {
                Add(text, wave.Filter, wave.IsStratified ? wave.StratifyBy.Length : 0);
                Add(text, wave.IsStratified ? [.. wave.StratifyBy] : []);
            }
        }
    }

    /// <summary>Where it comes from, who else may join, turns and budgets per value; as above not at all where nothing is said.</summary>
    private static void AddOrigin(StringBuilder text, RolloutSpec spec)
    {
        if (spec.Strategy is { } strategy)
        {
            Add(text, "strategy", strategy.Id.Value, strategy.Version, strategy.Revision);
        }

        if (spec.RetryOf is { } retried)
        {
            Add(text, "retry_of", retried.Value);
        }

        if (spec.IncludeLateJoiners)
        {
            Add(text, "include_late_joiners");
        }

        if (spec.Priority != 0 || spec.SupersedesOlder)
        {
            Add(text, "turn", spec.Priority, spec.SupersedesOlder);
        }

        if (spec.TakeSteps || !spec.Path.IsDefaultOrEmpty)
        {
            Add(text, "take_steps", spec.TakeSteps, spec.Path.Length);
            foreach (var step in spec.Path)
            {
                AddStep(text, step);
            }
        }

        if (!spec.MaxUnavailablePer.IsDefaultOrEmpty)
        {
            Add(text, "max_unavailable_per", spec.MaxUnavailablePer.Length);
            foreach (var budget in spec.MaxUnavailablePer)
            {
                Add(text, budget.Field, (int)budget.Limit.Kind, budget.Limit.Value);
            }
        }

        AddInstallWindows(text, spec.InstallWindows);
    }

    private static void AddInstallWindows(StringBuilder text, ImmutableArray<OfferWindow> windows)
    {
        if (windows.IsDefaultOrEmpty)
        {
            return;
        }

        Add(text, "install_windows", windows.Length);
        foreach (var window in windows)
        {
            Add(text, window.Recurrence, window.Duration.Ticks, window.TimeZone);
        }
    }

    private static void AddStep(StringBuilder text, StepImage step)
    {
        Add(text, step.Digest, step.Version, step.Track, step.Models.Length);
        Add(text, [.. step.Models]);
        Add(text, step.Conditions.MinFromVersion, step.Conditions.SecurityFloor, step.Conditions.Steps.Length);
        Add(text, [.. step.Conditions.Steps]);
    }

    // Numbers, texts and booleans; nothing is a dash without a length.
    private static void Add(StringBuilder text, params ReadOnlySpan<IConvertible?> values)
    {
        foreach (var value in values)
        {
            var form = value?.ToString(CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"{form?.Length.ToString(CultureInfo.InvariantCulture) ?? "-"}:{form};");
        }
    }
}
