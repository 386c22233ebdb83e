namespace Muster.Gateway.Mqtt;

/// <summary>
/// A pace (generic cell rate algorithm): a burst at once, then one message per interval. The answer is how long to wait before the next
/// byte is read, so that a noisy device waits in its own socket and nowhere else.
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

    /// <summary>Counts the message if it did not come too early.</summary>
    public bool TryTake(long now)
    {
        var due = Math.Max(_due, now);
        if (due - _tolerance > now)
        {
            return false;
        }

        _due = due + ticksPerMessage;
        return true;
    }
}

/// <summary>
/// The pace of the whole gateway. Only messages above what every device may send at any time are counted: when the gateway has as much as
/// it takes, the noisy wait and their neighbours do not.
/// </summary>
internal sealed class SharedRateGate(long ticksPerMessage, int burst)
{
    private readonly Lock _lock = new();
    private RateGate _gate = new(ticksPerMessage, burst);

    public long Take(long now)
    {
        lock (_lock)
        {
            return _gate.Take(now);
        }
    }
}
