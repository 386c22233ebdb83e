namespace Muster.Gateway.Tests.Edge;

/// <summary>The system's clock, except that date and timestamps can be others: timers go on as they are.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    private long _shift;
    private long _timestampShift;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref _shift));

    /// <summary>Timestamps too: as if nothing had happened in a long time.</summary>
    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _timestampShift);

    public void ShiftTimestamps(TimeSpan by) =>
        Interlocked.Add(ref _timestampShift, (long)(by.TotalSeconds * TimestampFrequency));

    public void Shift(TimeSpan by) => Interlocked.Add(ref _shift, by.Ticks);
}
