using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>What a spec may say of attempts, of what ends them, and of when they begin.</summary>
internal static class AttemptRules
{
    public static void Check(RolloutSpec spec, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (spec.Retries is { } retries)
        {
            CheckRetries(retries, problems);
        }

        OfferWindow.Check(spec.Windows, "windows", problems);
        InstallTimes.Check(spec, problems);
        CheckPolicy(spec.InProgressPolicy, "in_progress_policy", problems);
        CheckPolicy(spec.UndeliveredPolicy, "undelivered_policy", problems);
    }

    private static void CheckRetries(RetryPolicy retries, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (retries.MaxAttempts is < 1 or > RetryPolicy.MaxAttemptsMax)
        {
            problems.Add(new("retries.max_attempts", $"is from 1 to {RetryPolicy.MaxAttemptsMax}"));
        }

        if (retries.Backoff < RetryPolicy.BackoffMin || retries.Backoff > RetryPolicy.BackoffLimit)
        {
            problems.Add(new("retries.backoff", $"is from 1 second to {RetryPolicy.BackoffLimit.TotalDays:0} days"));
        }

        if (retries.BackoffMax < retries.Backoff || retries.BackoffMax > RetryPolicy.BackoffLimit)
        {
            problems.Add(new("retries.backoff_max", $"is from the back-off to {RetryPolicy.BackoffLimit.TotalDays:0} days"));
        }
    }

    private static void CheckPolicy(TimeoutPolicy policy, string field, ImmutableArray<SpecProblem>.Builder problems)
    {
        if (policy is not (TimeoutPolicy.Fail or TimeoutPolicy.LeaveOut or TimeoutPolicy.Wait))
        {
            problems.Add(new(field, "is fail, skip or wait"));
        }
    }
}
