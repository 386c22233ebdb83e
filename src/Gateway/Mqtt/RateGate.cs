namespace Muster.Gateway.Mqtt;

/// <summary>
/// The pace of one device (generic cell rate algorithm): a burst at once, then one message per interval. The answer is how
/// long to wait before the next byte is read, so that a noisy device waits in its own socket and nowhere else.
/// </summary>
internal struct RateGate(long ticksPerMessage, int burst)
{
    private readonly long _tolerance = ticksPerMessage * (burst - 1L);
    private long _due;

    /// <summary>Counts one message; zero or how many ticks it came too early.</summary>
    public long Take(long now)
    {
        _due = Math.Max(_due, now);
        var early = _due - _tolerance - now;
        _due += ticksPerMessage;
        return Math.Max(0, early);
    }
}
