using System.Buffers.Binary;
using System.IO.Hashing;
using Muster.Domain.Devices;

namespace Muster.Domain.Rollouts;

/// <summary>How often a device that failed or timed out is offered the change (rollouts.md 10).</summary>
/// <param name="MaxAttempts">All attempts, the first included, 1 to <see cref="MaxAttemptsMax"/>.</param>
/// <param name="Backoff">From the end of the first attempt to the next one's turn; doubled with each.</param>
/// <param name="BackoffMax">No back-off is longer.</param>
[GenerateSerializer, Immutable, Alias("muster.retry-policy")]
public sealed record RetryPolicy(
    [property: Id(0)] int MaxAttempts,
    [property: Id(1)] TimeSpan Backoff,
    [property: Id(2)] TimeSpan BackoffMax)
{
    /// <summary>AWS IoT Jobs' limit: what fails ten times does not fail by chance.</summary>
    public const int MaxAttemptsMax = 10;

    /// <summary>A device is back from a failed installation within minutes.</summary>
    public static readonly TimeSpan BackoffDefault = TimeSpan.FromMinutes(5);

    /// <summary>An operator sees within a working day what a retry does.</summary>
    public static readonly TimeSpan BackoffMaxDefault = TimeSpan.FromHours(4);

    /// <summary>Below a second it is no back-off.</summary>
    public static readonly TimeSpan BackoffMin = TimeSpan.FromSeconds(1);

    /// <summary>As long as a change may be in progress.</summary>
    public static readonly TimeSpan BackoffLimit = RolloutLimits.InProgressTimeoutMax;

    /// <summary>Up to a quarter of a back-off is left out, so that devices which failed together do not come back together.</summary>
    private const int JitterParts = 4;

    /// <summary>When the next attempt has its turn; null when the end of this one is final.</summary>
    /// <param name="end">How the attempt ended.</param>
    /// <param name="place">The member's place in the order (<see cref="MemberPoint.Hash"/>): the same rollout has the same jitter.</param>
    public DateTimeOffset? NextAfter(MemberOutcome end, ulong place)
    {
        var ended = WayBack.CountOf(end.Retry);
        if (ended + 1 >= MaxAttempts || !FinalReasons.MayRetry(end.Outcome, end.Reason))
        {
            return null;
        }

        // A back-off of a week doubled eight times is far from what ticks can say.
        var delay = Math.Min(Backoff.Ticks << Math.Min(ended, MaxAttemptsMax), BackoffMax.Ticks);
        Span<byte> key = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(key, place);
        var jitter = (long)(XxHash64.HashToUInt64(key, end.Retry) % (ulong)Math.Max(1, delay / JitterParts));
        return end.At + TimeSpan.FromTicks(delay - jitter);
    }
}

/// <summary>How one attempt of a member ended, as its device or its share knows it.</summary>
/// <param name="Outcome">How.</param>
/// <param name="Retry">Which attempt: how many had ended before it.</param>
/// <param name="Reason">Why, for an outcome other than success.</param>
/// <param name="At">When.</param>
public readonly record struct MemberOutcome(ChangeOutcome Outcome, int Retry, string Reason, DateTimeOffset At)
{
    /// <summary>When the next attempt has its turn; null when this end is final.</summary>
    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>The device had the change: it was offered, and the rate counts it, however it ended.</summary>
    public bool WasMade { get; init; }

    /// <summary>The desired generation that carried the offer; 0 when it is not known, or none was made.</summary>
    public long Generation { get; init; }

    /// <summary>The device itself says so of an offer that is known to be over, not of the one that the member's permit is for.</summary>
    public bool IsRepeated { get; init; }
}
