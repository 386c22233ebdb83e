using System.Collections.Concurrent;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Images;

/// <summary>
/// What one device may have of the HTTPS listener: a few connections, and a pace of requests over all of them. Each request is a question
/// to its grain; without a bound a single device could keep the others from their certificates and images.
/// </summary>
internal sealed class DevicePlaces(TimeProvider clock)
{
    /// <summary>
    /// A device downloads one image and asks for one certificate; the rest is for connections that it lost and nobody noticed.
    /// </summary>
    public const int ConnectionsMax = 8;

    /// <summary>Of one device at once: it needs one, and one more for a connection that it lost. Streams of HTTP/2 count.</summary>
    public const int TransfersMax = 4;

    /// <summary>A download in ranges of a megabyte needs fewer.</summary>
    private const int RequestsPerSecond = 10;

    private const int RequestsBurst = 50;

    private readonly ConcurrentDictionary<DeviceAddress, Place> _places = new();

    /// <summary>
    /// A place for one more connection of the device; null when it has as many as it may. It is given back by disposing it.
    /// </summary>
    public Place? TryTake(DeviceAddress address)
    {
        while (true)
        {
            var place = _places.GetOrAdd(address, key => new Place(this, key));
            switch (place.Enter())
            {
                case ReserveStatus.Reserved:
                    return place;
                case ReserveStatus.Full:
                    return null;
                default:
                    _places.TryRemove(KeyValuePair.Create(address, place));
                    break;
            }
        }
    }

    /// <summary>One device, with all of its connections.</summary>
    internal sealed class Place(DevicePlaces owner, DeviceAddress address) : IDisposable
    {
        private readonly Lock _lock = new();
        private RateGate _gate = new(owner.Frequency / RequestsPerSecond, RequestsBurst);
        private int _connections;
        private int _transfers;
        private bool _isRemoved;

        public ReserveStatus Enter()
        {
            lock (_lock)
            {
                if (_isRemoved || _connections == ConnectionsMax)
                {
                    return _isRemoved ? ReserveStatus.Removed : ReserveStatus.Full;
                }

                _connections++;
                return ReserveStatus.Reserved;
            }
        }

        /// <summary>Waits for the turn of one request.</summary>
        public Task WaitAsync(CancellationToken cancellationToken)
        {
            long early;
            lock (_lock)
            {
                early = _gate.Take(owner.Now);
            }

            return early > 0 ? owner.DelayAsync(early, cancellationToken) : Task.CompletedTask;
        }

        /// <summary>One download more; null when it has as many as it may. It ends by disposing it.</summary>
        public IDisposable? TryBeginTransfer()
        {
            lock (_lock)
            {
                if (_transfers == TransfersMax)
                {
                    return null;
                }

                _transfers++;
                return new Transfer(this);
            }
        }

        /// <summary>One of its connections ended.</summary>
        public void Dispose()
        {
            lock (_lock)
            {
                _isRemoved = --_connections == 0;
            }

            if (_isRemoved)
            {
                owner._places.TryRemove(KeyValuePair.Create(address, this));
            }
        }

        private sealed class Transfer(Place place) : IDisposable
        {
            public void Dispose()
            {
                lock (place._lock)
                {
                    place._transfers--;
                }
            }
        }
    }

    private long Frequency => clock.TimestampFrequency;

    private long Now => clock.GetTimestamp();

    private Task DelayAsync(long ticks, CancellationToken cancellationToken) =>
        Task.Delay(clock.GetElapsedTime(0, ticks), clock, cancellationToken);
}
