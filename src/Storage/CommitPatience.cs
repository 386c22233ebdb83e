using System.Diagnostics;
using Microsoft.Extensions.Options;

namespace Muster.Storage;

/// <summary>
/// How long a commit may be on its way. The clock is the machine's: callers' timeouts run by it, whatever the rules' clock says.
/// </summary>
internal sealed class CommitPatience
{
    private readonly long _ticksMax;

    public CommitPatience(IOptions<StoreOptions> options)
    {
        var request = options.Value.RequestTimeout;
        var retries = StoreConnection.RetryTime(options.Value);
        _ticksMax = (long)((retries < CommitLimits.ListenMax ? retries : CommitLimits.ListenMax).TotalSeconds * Stopwatch.Frequency);
        LookPeriod = request / 2 < CommitLimits.LookPeriodMax ? request / 2 : CommitLimits.LookPeriodMax;
    }

    /// <summary>How often commits are looked at while there are any.</summary>
    public TimeSpan LookPeriod { get; }

    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>Its caller has to be told now. If it was not sent, it must not be any more.</summary>
    public bool IsOver(PendingCommit commit, long now) => now - commit.EnteredAt > _ticksMax;
}
