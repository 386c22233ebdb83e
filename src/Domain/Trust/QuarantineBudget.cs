using Muster.Domain.Devices;

namespace Muster.Domain.Trust;

/// <summary>One device that a suspicion may quarantine by rule.</summary>
[GenerateSerializer, Immutable, Alias("muster.quarantine-permit")]
public sealed record QuarantinePermit([property: Id(0)] DeviceId Device, [property: Id(1)] DateTimeOffset At);

/// <summary>
/// How many devices suspicions may quarantine by rule: a wrong rule, or a network that plays tricks on everybody, must not take the fleet
/// out of service before a human looks.
/// </summary>
public static class QuarantineBudget
{
    /// <summary>Within any <see cref="Window"/>.</summary>
    public const int DevicesMax = 100;

    public static readonly TimeSpan Window = TimeSpan.FromHours(1);

    /// <summary>
    /// Takes a permit, or says that there is none. The same device within the window is answered as before and counted once: its caller may
    /// have lost the answer.
    /// </summary>
    public static (ImmutableArray<QuarantinePermit> Next, bool IsPermitted) Take(
        ImmutableArray<QuarantinePermit> permits, DeviceId device, DateTimeOffset now)
    {
        var earliest = now - Window;
        ImmutableArray<QuarantinePermit> current = [.. permits.Where(permit => permit.At > earliest)];
        if (current.Any(permit => permit.Device == device))
        {
            return (current, true);
        }

        return current.Length < DevicesMax ? (current.Add(new QuarantinePermit(device, now)), true) : (current, false);
    }
}
