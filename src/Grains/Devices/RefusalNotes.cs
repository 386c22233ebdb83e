using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Muster.Grains.Devices;

/// <summary>
/// The notes of refusals that are on their way to their records, of all devices of a silo. Nobody waits for them, so they have a bound; one
/// that finds no place is counted and left to the next attempt of the same device.
/// </summary>
internal sealed partial class RefusalNotes(DeviceInstruments instruments, ILogger<RefusalNotes> logger)
{
    /// <summary>
    /// A store takes as many in some hundredths of a second: more wait only where it hangs, and there they would stand before what
    /// devices report.
    /// </summary>
    public const int UnderWayMax = 256;

    private readonly ConcurrentDictionary<(GrainId Device, string Reason), byte> _underWay = new();
    private int _count;

    /// <summary>1 from the first that found no place until all that were under way have ended.</summary>
    private int _isFull;

    /// <summary>False when the same note is under way, or too many are. Who gets true calls <see cref="End"/>.</summary>
    public bool TryBegin(GrainId device, string reason)
    {
        if (!_underWay.TryAdd((device, reason), 0))
        {
            return false;
        }

        if (Interlocked.Increment(ref _count) <= UnderWayMax)
        {
            return true;
        }

        if (Interlocked.Exchange(ref _isFull, 1) == 0)
        {
            LogFull(logger, UnderWayMax);
        }

        instruments.RefusalUnnoted("full");
        End(device, reason);
        return false;
    }

    public void End(GrainId device, string reason)
    {
        _underWay.TryRemove((device, reason), out _);
        if (Interlocked.Decrement(ref _count) == 0)
        {
            Volatile.Write(ref _isFull, 0);
        }
    }

    /// <summary>The store or the silo did not take it.</summary>
    public void Failed() => instruments.RefusalUnnoted("failed");

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} refusals of devices wait for the store: others are not on record, until the same device comes again")]
    private static partial void LogFull(ILogger logger, int count);
}
