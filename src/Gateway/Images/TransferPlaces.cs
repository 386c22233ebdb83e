using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Muster.Domain;
using Muster.Domain.Images;

namespace Muster.Gateway.Images;

/// <summary>
/// How many downloads this gateway sends at once and how fast, over all and for each site. Who finds no place is told to come later; who
/// has one shares what its site and the gateway may send.
/// </summary>
internal sealed class TransferPlaces
{
    private readonly ConcurrentDictionary<(TenantId Tenant, string Site), Places> _sites = new();
    private readonly Dictionary<(TenantId Tenant, string Site), SiteDownloadOptions> _named = [];
    private readonly DownloadOptions _options;
    private readonly TimeProvider _clock;
    private readonly Places _all;

    public TransferPlaces(IOptions<DownloadOptions> options, TimeProvider clock)
    {
        (_options, _clock) = (options.Value, clock);
        _all = new Places(_options.TransfersMax, _options.BytesPerSecond, clock);
        foreach (var site in _options.Sites)
        {
            _named[(TenantId.TryParse(site.Tenant, out var tenant) ? tenant : default, site.Site)] = site;
        }
    }

    /// <summary>Downloads that are being sent.</summary>
    public int Count => _all.Count;

    /// <summary>A place for one download; null, and why, when there is none. It is given back by disposing it.</summary>
    public Place? TryTake(TenantId tenant, string site, out FleetError? busy)
    {
        // Devices that are nowhere are no site.
        var places = site.Length > 0 ? PlacesOf((tenant, site)) : null;
        busy = null;
        if (places is not null && !places.TryEnter())
        {
            busy = DownloadErrors.Busy("site", places.TransfersMax);
            return null;
        }

        if (!_all.TryEnter())
        {
            places?.Leave();
            busy = DownloadErrors.Busy("gateway", _all.TransfersMax);
            return null;
        }

        return new Place(this, places);
    }

    /// <summary>When whoever found none may come again: spread, so that they do not come back together either.</summary>
    public TimeSpan RetryAfter() => _options.RetryAfter * (1 + Random.Shared.NextDouble());

    /// <summary>Sites without limits have no entry, so that there are as many entries as an operator has limited sites.</summary>
    private Places? PlacesOf((TenantId Tenant, string Site) site)
    {
        var (transfers, pace) = _named.TryGetValue(site, out var own)
            ? (own.TransfersMax, own.BytesPerSecond)
            : (_options.SiteTransfersMax, _options.SiteBytesPerSecond);
        return transfers == 0 && pace == 0
            ? null
            : _sites.GetOrAdd(site, _ => new Places(transfers, pace, _clock));
    }

    /// <summary>One download that is being sent.</summary>
    internal sealed class Place(TransferPlaces owner, Places? site) : IDisposable
    {
        /// <summary>The most to send at a time: an eighth of a second of the slowest pace, so that many share a thin line evenly.</summary>
        public int ChunkMax { get; } = Math.Min(owner._all.ChunkMax, site?.ChunkMax ?? int.MaxValue);

        /// <summary>Waits until so many bytes may go.</summary>
        public ValueTask PaceAsync(int bytes, CancellationToken cancellationToken)
        {
            var now = owner._clock.GetTimestamp();
            var early = Math.Max(owner._all.Take(bytes, now), site?.Take(bytes, now) ?? 0);
            return early <= 0
                ? ValueTask.CompletedTask
                : new ValueTask(Task.Delay(owner._clock.GetElapsedTime(0, early), owner._clock, cancellationToken));
        }

        public void Dispose()
        {
            owner._all.Leave();
            site?.Leave();
        }
    }

    /// <summary>Places and pace of a site, or of all. The pace goes on between downloads: a new connection is no new allowance.</summary>
    internal sealed class Places(int transfersMax, long bytesPerSecond, TimeProvider clock)
    {
        /// <summary>What may go at once after a pause: enough to keep a line busy between two wake-ups.</summary>
        private static readonly TimeSpan Burst = TimeSpan.FromSeconds(0.25);

        private readonly Lock _lock = new();
        private readonly double _ticksPerByte = bytesPerSecond == 0 ? 0 : clock.TimestampFrequency / (double)bytesPerSecond;
        private readonly long _burst = (long)(Burst.TotalSeconds * clock.TimestampFrequency);
        private long _due = long.MinValue;
        private int _count;

        public int TransfersMax => transfersMax;

        public int Count => Volatile.Read(ref _count);

        public int ChunkMax { get; } = bytesPerSecond == 0
            ? int.MaxValue
            : (int)Math.Clamp(bytesPerSecond / 8, DownloadOptions.BytesPerSecondMin / 8, int.MaxValue);

        public bool TryEnter()
        {
            if (Interlocked.Increment(ref _count) <= transfersMax || transfersMax == 0)
            {
                return true;
            }

            Interlocked.Decrement(ref _count);
            return false;
        }

        public void Leave() => Interlocked.Decrement(ref _count);

        /// <summary>Counts bytes; how many ticks they come too early.</summary>
        public long Take(int bytes, long now)
        {
            if (_ticksPerByte == 0)
            {
                return 0;
            }

            lock (_lock)
            {
                _due = Math.Max(_due, now - _burst);
                var early = _due - now;
                _due += (long)(bytes * _ticksPerByte);
                return early;
            }
        }
    }
}
