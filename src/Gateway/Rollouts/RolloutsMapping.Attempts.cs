using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Muster.Domain.Devices;
using Muster.Domain.Rollouts;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Rollouts;

/// <summary>Attempts, timers and skipped members of the API and of the domain.</summary>
internal static partial class RolloutsMapping
{
    private static RetryPolicy? ToSpec(V1.Retries? retries)
    {
        if (retries is null)
        {
            return null;
        }

        var backoff = retries.Backoff?.ToTimeSpan() ?? RetryPolicy.BackoffDefault;
        var longest = RetryPolicy.BackoffMaxDefault < backoff ? backoff : RetryPolicy.BackoffMaxDefault;
        return new(retries.MaxAttempts, backoff, retries.BackoffMax?.ToTimeSpan() ?? longest);
    }

    private static V1.Retries? ToApi(RetryPolicy? retries) => retries is null ? null : new V1.Retries
    {
        MaxAttempts = retries.MaxAttempts,
        Backoff = Duration.FromTimeSpan(retries.Backoff),
        BackoffMax = Duration.FromTimeSpan(retries.BackoffMax),
    };

    private static TimeoutPolicy ToSpec(V1.TimeoutPolicy policy) =>
        policy is V1.TimeoutPolicy.Skip ? TimeoutPolicy.LeaveOut
        : policy is V1.TimeoutPolicy.Wait ? TimeoutPolicy.Wait
        : TimeoutPolicy.Fail;

    private static V1.TimeoutPolicy ToApi(TimeoutPolicy policy) => policy switch
    {
        TimeoutPolicy.Fail => V1.TimeoutPolicy.Fail,
        TimeoutPolicy.LeaveOut => V1.TimeoutPolicy.Skip,
        TimeoutPolicy.Wait => V1.TimeoutPolicy.Wait,
        _ => throw new System.Diagnostics.UnreachableException($"Unknown policy {policy}."),
    };

    private static OfferWindow ToSpec(V1.OfferWindow window) =>
        new(window.Recurrence, window.Duration?.ToTimeSpan() ?? TimeSpan.Zero, window.TimeZone);

    private static V1.OfferWindow ToApi(OfferWindow window) => new()
    {
        Recurrence = window.Recurrence,
        Duration = Duration.FromTimeSpan(window.Duration),
        TimeZone = window.TimeZone,
    };

    private static string Word(WaitingOn on, WaveReport report) => OpensAt(on, report) is { } at
        ? string.Create(CultureInfo.InvariantCulture, $"{ApiValues.ToName(on)} until {at.UtcDateTime:yyyy-MM-dd HH:mm'Z'}")
        : ApiValues.ToName(on);

    private static DateTimeOffset? OpensAt(WaitingOn on, WaveReport report) => on switch
    {
        WaitingOn.Window => report.WindowOpensAt,
        WaitingOn.InstallWindow => report.InstallWindowOpensAt,
        _ => null,
    };

    private static V1.Wave WithAttempts(ShareTotals totals, V1.Wave wave)
    {
        wave.Retrying = totals.Retrying;
        wave.Skips.AddRange(ToApi(totals.Skips));
        return wave;
    }

    private static IEnumerable<V1.SkipCount> ToApi(SkipTotals? skips) => skips is null
        ? []
        : System.Enum.GetValues<MemberReason>()
            .Where(reason => skips.Of(reason) > 0)
            .OrderByDescending(skips.Of)
            .Select(reason => new V1.SkipCount { Reason = MemberReasons.NameOf(reason), Devices = skips.Of(reason) });
}
