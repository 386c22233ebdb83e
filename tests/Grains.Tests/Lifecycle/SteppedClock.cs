namespace Muster.Grains.Tests.Lifecycle;

/// <summary>
/// The calendar stands still until it is moved; timers and time stamps are the system's, because the silo needs them. Time stamps can be
/// moved too, as if nothing had happened for a while.
/// </summary>
internal sealed class SteppedClock(DateTimeOffset start) : TimeProvider
{
    private long _ticks = start.UtcTicks;

    private long _timestampShift;

    public override long GetTimestamp() => base.GetTimestamp() + Interlocked.Read(ref _timestampShift);

    public void ShiftTimestamps(TimeSpan by) => Interlocked.Add(ref _timestampShift, (long)(by.TotalSeconds * TimestampFrequency));

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}
