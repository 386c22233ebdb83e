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
    /// How soon a permit is used, or not at all: it is taken before the device commits its quarantine. Far above what a call and a commit
    /// may take.
    /// </summary>
    public static readonly TimeSpan UseWithin = TimeSpan.FromMinutes(5);

    /// <summary>A permit counts for as long as its quarantine, however late that came, is within <see cref="Window"/>.</summary>
    public static readonly TimeSpan CountedFor = Window + UseWithin;

    /// <summary>
    /// Takes a permit, or says that there is none. The same device again is answered as before and counted once, because its caller may
    /// have lost the answer; it counts from now on, because it may be used now.
    /// </summary>
    public static (ImmutableArray<QuarantinePermit> Next, bool IsPermitted) Take(
        ImmutableArray<QuarantinePermit> permits, DeviceId device, DateTimeOffset now)
    {
        var earliest = now - CountedFor;
        ImmutableArray<QuarantinePermit> others = [.. permits.Where(permit => permit.At > earliest && permit.Device != device)];
        return others.Length < DevicesMax ? (others.Add(new QuarantinePermit(device, now)), true) : (others, false);
    }
}
