using Muster.Contracts.Devices;
using Muster.Contracts.Inventory;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Gateway.Devices;
using Muster.Gateway.Mqtt;

namespace Muster.Gateway.Broker;

/// <summary>
/// One device behind the broker: its messages here, which are taken one after the other, and the session that it has by them. Gateways
/// share that session: each that hears the device joins it. Safe for threads.
/// </summary>
internal sealed class BrokerDevice(DeviceAddress address, int partition, RateGate gate, IDeviceGrain grain) : IPresentDevice
{
    /// <summary>
    /// While its grain does not answer, a device has this many messages here: those who are not concerned keep most of the Receive Maximum.
    /// </summary>
    private const int BlockedMax = 4;

    private readonly Lock _lock = new();
    private readonly Queue<BrokerMessage> _waiting = new();
    private RateGate _gate = gate;
    private bool _isRunning;
    private bool _isBlocked;
    private bool _isAttached;
    private bool _isDirty;
    private bool _isRemoved;
    private long _lastSeenTicks;
    private DeviceHealth? _health;
    private DisconnectReason _reason;
    private string? _lastWill;
    private SessionRef _session = new("", 0, null);

    public DeviceAddress Address { get; } = address;

    public int Partition { get; } = partition;

    public IDeviceGrain Grain { get; } = grain;

    /// <summary>One object for all messages: what was judged once is recognised.</summary>
    public DeviceIdentity Identity { get; } = DeviceIdentity.Vouched(address.Device);

    /// <summary>The form of the device's last up message.</summary>
    public PayloadForm Form { get; set; }

    /// <summary>When it was told last that it sends too much, as a timestamp; zero for never.</summary>
    public long ToldAt { get; set; }

    public bool IsAttached => Volatile.Read(ref _isAttached);

    public DateTimeOffset LastSeenAt => new(Volatile.Read(ref _lastSeenTicks), TimeSpan.Zero);

    /// <summary>The session that its messages go by; without an epoch while there is none.</summary>
    public SessionRef Session
    {
        get
        {
            lock (_lock)
            {
                return _isAttached ? _session : new SessionRef(_session.GatewayId, 0, null);
            }
        }
    }

    public LaneStatus Put(BrokerMessage message, int messagesMax)
    {
        lock (_lock)
        {
            if (_isRemoved)
            {
                return LaneStatus.Removed;
            }

            // What the broker sends again was taken before, and its first copy does not count any more: it is not refused now.
            var limit = _isBlocked && !message.IsRepeated ? BlockedMax : messagesMax;
            if (_waiting.Count >= limit && _waiting.Count(known => !known.Over.IsCancellationRequested) >= limit)
            {
                return LaneStatus.Full;
            }

            _waiting.Enqueue(message);
            var isStarted = !_isRunning;
            _isRunning = true;
            return isStarted ? LaneStatus.Started : LaneStatus.Waits;
        }
    }

    /// <summary>The message to handle now; it stays counted until <see cref="Done"/>. Null ends the lane.</summary>
    public BrokerMessage? Next()
    {
        lock (_lock)
        {
            _isRunning = _waiting.TryPeek(out var message);
            return message;
        }
    }

    public void Done()
    {
        lock (_lock)
        {
            _waiting.Dequeue();
            _isBlocked = false;
        }
    }

    /// <summary>Its grain or the store do not answer.</summary>
    public void Block()
    {
        lock (_lock)
        {
            _isBlocked = true;
        }
    }

    public long TakeTurn(long now)
    {
        lock (_lock)
        {
            return _gate.Take(now);
        }
    }

    public void Seen(DateTimeOffset now) => Volatile.Write(ref _lastSeenTicks, now.UtcTicks);

    /// <summary>The grain said which session there is.</summary>
    public void Attach(SessionRef session)
    {
        lock (_lock)
        {
            if (session.Epoch >= _session.Epoch)
            {
                (_session, _isAttached, _reason, _lastWill) = (session, true, DisconnectReason.Unspecified, null);
            }
        }
    }

    /// <summary>The session is over for this gateway. True when there was one up to this epoch.</summary>
    public bool Detach(long epochMax, DisconnectReason reason, string? lastWill = null)
    {
        lock (_lock)
        {
            if (!_isAttached || _session.Epoch > epochMax)
            {
                return false;
            }

            (_isAttached, _reason, _lastWill) = (false, reason, lastWill);
            return true;
        }
    }

    /// <summary>Whether a message of this epoch is for the device as it is known here.</summary>
    public bool IsCurrent(long epoch)
    {
        lock (_lock)
        {
            // The grain may speak before its answer to an admission is here.
            return epoch >= _session.Epoch;
        }
    }

    public bool MarkDirty(DeviceHealth? health)
    {
        lock (_lock)
        {
            _health = health ?? _health;
            var wasDirty = _isDirty;
            _isDirty = true;
            return !wasDirty;
        }
    }

    public bool TryTakePresence(bool clearDirty, out SessionPresence presence)
    {
        lock (_lock)
        {
            _isDirty &= !clearDirty;
            presence = new SessionPresence(
                Address.Tenant, Address.Device, _session.Epoch, _isAttached, LastSeenAt, _health, _isAttached ? default : _reason)
            {
                LastWill = _isAttached ? null : _lastWill,
            };

            // A session that was taken over is told by those who have the newer one.
            return _session.Epoch > 0 && (_isAttached || _reason != DisconnectReason.TakenOver);
        }
    }

    /// <summary>True when nothing is under way and nothing has to be told.</summary>
    public bool TryRemove(DateTimeOffset seenBefore)
    {
        lock (_lock)
        {
            _isRemoved = _waiting.Count == 0 && !_isAttached && !_isDirty && LastSeenAt < seenBefore;
            return _isRemoved;
        }
    }
}

/// <summary>What became of a message that came.</summary>
internal enum LaneStatus
{
    /// <summary>It is the only one: its handling has to be begun.</summary>
    Started,

    /// <summary>It waits for those before it.</summary>
    Waits,

    /// <summary>The device has as many messages here as it may.</summary>
    Full,

    /// <summary>The entry is being forgotten; ask for a new one.</summary>
    Removed,
}
