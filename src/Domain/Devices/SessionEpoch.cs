namespace Muster.Domain.Devices;

/// <summary>
/// The number of a device's receiving session: the newer of two has the higher one. It is in memory until the device's next commit, and
/// what is in memory may be gone with a silo, while gateways still tell of the sessions that it had.
/// </summary>
public static class SessionEpoch
{
    /// <summary>
    /// Above the highest that is known, and never below the time in milliseconds: so also above those that nobody remembers, because no
    /// device opens a thousand sessions a second, and one is back later than the clocks of silos differ by.
    /// </summary>
    public static long After(long known, DateTimeOffset now) => Math.Max(known + 1, now.ToUnixTimeMilliseconds());
}
