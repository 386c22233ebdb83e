using Muster.Domain.Devices;

namespace Muster.Domain.Enrollments;

/// <summary>A place among the devices that wait; it ends by itself when the request does.</summary>
[GenerateSerializer, Immutable, Alias("muster.enrollment-place")]
public readonly record struct EnrollmentPlace([property: Id(0)] DeviceId Device, [property: Id(1)] DateTimeOffset Until);

/// <summary>The places of a tenant's devices that wait: their number is bounded, and so is how fast it grows.</summary>
public static class EnrollmentPlaces
{
    /// <summary>
    /// More than operators look through one by one; a list for more is a delivery. Keeps the record of places below 50 kB.
    /// </summary>
    public const int WaitingMax = 1000;

    /// <summary>New requests within a minute: a van full of cameras that is switched on, and two commits a second at most.</summary>
    public const int NewPerMinuteMax = 60;

    /// <summary>The places with this device's, or why there is none. The same device again keeps its place.</summary>
    public static (ImmutableArray<EnrollmentPlace> Places, FleetError? Error) Take(
        ImmutableArray<EnrollmentPlace> places, EnrollmentPlace wanted, int newInThisMinute, DateTimeOffset now)
    {
        var live = places.RemoveAll(place => place.Until <= now || place.Device == wanted.Device);
        if (live.Length >= WaitingMax)
        {
            return (places, EnrollmentRequestErrors.QueueFull(WaitingMax));
        }

        return newInThisMinute >= NewPerMinuteMax
            ? (places, EnrollmentRequestErrors.RateReached(NewPerMinuteMax))
            : (live.Add(wanted), null);
    }
}
