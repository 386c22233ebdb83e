using System.Collections.Concurrent;
using Muster.Domain;

namespace Muster.Grains.Devices;

/// <summary>
/// How many devices of a site may get a certificate in place of one that had ended. A site that was cut off for weeks comes back slowly;
/// and whoever holds the makers' keys of a site does not get a site full of certificates at once. Counted in this silo: with several silos
/// a site has this pace in each.
/// </summary>
internal sealed class RenewalPace(TimeProvider clock)
{
    /// <summary>In a minute: a site of 300 devices is back within half an hour.</summary>
    public const int DevicesMax = 10;

    /// <summary>
    /// In a minute, of all devices of a tenant that nobody gave a site: not one place that was cut off, but a fleet whose owner keeps no
    /// sites. 100,000 are back within three hours, and a batch of stolen keys still gets ten certificates a second and no more.
    /// </summary>
    public const int WithoutSiteMax = 600;

    /// <summary>Sites that are counted within one minute: more come back at once only if everything was cut off.</summary>
    public const int SitesMax = 10_000;

    private Window _window = new(0);

    /// <summary>False when the site has to wait for the next minute.</summary>
    public bool TryTake(TenantId tenant, string site)
    {
        var counts = CountsOfNow();
        return (counts.Count < SitesMax || counts.ContainsKey((tenant, site)))
            && counts.AddOrUpdate((tenant, site), 1, (_, count) => count + 1) <= MaxOf(site);
    }

    public static int MaxOf(string site) => site.Length == 0 ? WithoutSiteMax : DevicesMax;

    private ConcurrentDictionary<(TenantId Tenant, string Site), int> CountsOfNow()
    {
        var minute = clock.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute;
        var window = Volatile.Read(ref _window);
        if (window.Minute == minute)
        {
            return window.Counts;
        }

        // Of those who meet the new minute first, one begins it.
        var next = new Window(minute);
        var seen = Interlocked.CompareExchange(ref _window, next, window);
        return (ReferenceEquals(seen, window) ? next : seen).Counts;
    }

    private sealed record Window(long Minute)
    {
        public ConcurrentDictionary<(TenantId Tenant, string Site), int> Counts { get; } = new();
    }
}
