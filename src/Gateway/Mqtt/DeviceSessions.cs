using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Gateway.Devices;

namespace Muster.Gateway.Mqtt;

/// <summary>A device as this gateway addresses it.</summary>
internal readonly record struct DeviceAddress(TenantId Tenant, DeviceId Device);

/// <summary>The connections of one device to this gateway, and what they share: form of payloads, pace, presence.</summary>
internal sealed class DeviceSessions(DeviceAddress address, int partition, RateGate gate, RateGate quiet, SharedRateGate total)
    : IPresentDevice
{
    /// <summary>Design §5: one that receives, up to two that only publish.</summary>
    public const int PublishersMax = 2;

    /// <summary>What a device may send however busy its gateway is: more than one that is well sends.</summary>
    public const int QuietPerSecond = 1;

    /// <summary>And what it says after a connect.</summary>
    public const int QuietBurst = 10;

    /// <summary>Connections of one identity between TLS and CONNACK; a device has a reason for two.</summary>
    private const int PendingMax = 4;

    private readonly Lock _lock = new();
    private readonly List<MqttSession> _pending = [];
    private readonly List<MqttSession> _publishers = [];
    private MqttSession? _receiver;
    private RateGate _gate = gate;
    private RateGate _quiet = quiet;
    private DeviceHealth? _health;
    private long _reservations;
    private long _lastEpoch;
    private long _lastSeenTicks;
    private DisconnectReason _reason;
    private string? _lastWill;
    private bool _isDirty;
    private (long Order, string Boot) _hello = (0, "");
    private bool _isRemoved;

    public DeviceAddress Address { get; } = address;

    public int Partition { get; } = partition;

    /// <summary>The form of the device's last up message.</summary>
    public PayloadForm Form { get; set; }

    /// <summary>True while a receiving session is here.</summary>
    public bool IsReceiving => Volatile.Read(ref _receiver) is not null;

    /// <summary>Holds a place before admission, so that no message of the grain is lost between its answer and CONNACK.</summary>
    public ReserveStatus Reserve(MqttSession session)
    {
        lock (_lock)
        {
            if (_isRemoved)
            {
                return ReserveStatus.Removed;
            }

            if (_pending.Count >= PendingMax || (!session.Receives && CountOtherPublishers(session.ClientId) >= PublishersMax))
            {
                return ReserveStatus.Full;
            }

            session.Order = ++_reservations;
            _pending.Add(session);
            return ReserveStatus.Reserved;
        }
    }

    /// <summary>Takes an admitted session in; answers with the session that it replaces. False when a newer one came first.</summary>
    public bool TryActivate(MqttSession session, out MqttSession? replaced)
    {
        replaced = null;
        lock (_lock)
        {
            _pending.Remove(session);
            if (session.Receives)
            {
                // A lower epoch alone is no proof: a grain that lost its memory may have come to a silo whose clock is behind.
                if (_receiver is { } receiver && receiver.Epoch > session.Epoch && receiver.Order > session.Order)
                {
                    return false;
                }

                replaced = _receiver;
                _receiver = session;
                _lastEpoch = session.Epoch;
                return true;
            }

            var index = _publishers.FindIndex(other => other.ClientId == session.ClientId);
            if (index >= 0)
            {
                replaced = _publishers[index];
                _publishers[index] = session;
                return true;
            }

            if (_publishers.Count >= PublishersMax)
            {
                return false;
            }

            _publishers.Add(session);
            return true;
        }
    }

    /// <summary>A hello was accepted; one of an older connection does not hide a newer one's.</summary>
    public void SaidHello(long order, string boot)
    {
        lock (_lock)
        {
            _hello = order >= _hello.Order ? (order, boot) : _hello;
        }
    }

    /// <summary>
    /// Whether a connection that just proved to be alive is older than one that said hello with another boot. A device that boots ends its
    /// connections or leaves them half open: those send nothing any more.
    /// </summary>
    public bool IsOutlived(MqttSession session)
    {
        lock (_lock)
        {
            return session.Order < _hello.Order && session.Boot.Length > 0 && session.Boot != _hello.Boot;
        }
    }

    /// <summary>Takes a session out; true when it was the receiving one.</summary>
    public bool Detach(MqttSession session)
    {
        lock (_lock)
        {
            _pending.Remove(session);
            _publishers.Remove(session);
            if (!ReferenceEquals(_receiver, session))
            {
                return false;
            }

            _receiver = null;
            _reason = session.Reason;
            _lastWill = session.LastWill;
            return true;
        }
    }

    public bool TryRemove()
    {
        lock (_lock)
        {
            _isRemoved = _receiver is null && _publishers.Count == 0 && _pending.Count == 0 && !_isDirty;
            return _isRemoved;
        }
    }

    /// <summary>
    /// Hands a message to the session of this epoch, or keeps it for one that may become it; false when nobody here will have it.
    /// </summary>
    public bool Deliver(long epoch, DownMessage message)
    {
        MqttSession? receiver;
        var isHeld = false;
        lock (_lock)
        {
            receiver = _receiver;
            if (receiver?.Epoch != epoch)
            {
                receiver = null;
                foreach (var pending in _pending)
                {
                    isHeld |= pending.HoldEarly(epoch, message);
                }
            }
        }

        receiver?.Deliver(message);
        return receiver is not null || isHeld;
    }

    /// <summary>Hands a message of the gateway itself to the receiving session; false when there is none here.</summary>
    public bool DeliverOwn(DownMessage message)
    {
        var receiver = Volatile.Read(ref _receiver);
        receiver?.Deliver(message);
        return receiver is not null;
    }

    public IReadOnlyList<MqttSession> FindToClose(long epochMax, bool all)
    {
        lock (_lock)
        {
            var receiver = _receiver is { } session && (all || session.Epoch <= epochMax) ? session : null;
            return [.. receiver is null ? [] : new[] { receiver }, .. all ? _publishers.Concat(_pending) : []];
        }
    }

    /// <summary>How long the message has to wait: for its device's pace, and above what is always allowed for the gateway's.</summary>
    public long TakeTurn(long now)
    {
        lock (_lock)
        {
            var early = _gate.Take(now);
            return _quiet.TryTake(now) ? early : Math.Max(early, total.Take(now));
        }
    }

    public void Seen(DateTimeOffset now) => Volatile.Write(ref _lastSeenTicks, now.UtcTicks);

    /// <summary>Keeps the status for the next presence message; true when the entry has to be queued for it.</summary>
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

    /// <summary>False when this gateway never held the receiving session: it must not speak for it then.</summary>
    public bool TryTakePresence(bool clearDirty, out SessionPresence presence)
    {
        lock (_lock)
        {
            _isDirty &= !clearDirty;
            var seen = new DateTimeOffset(Volatile.Read(ref _lastSeenTicks), TimeSpan.Zero);
            var reason = _receiver is null ? _reason : DisconnectReason.Unspecified;
            presence = new SessionPresence(Address.Tenant, Address.Device, _lastEpoch, _receiver is not null, seen, _health, reason)
            {
                LastWill = _receiver is null ? _lastWill : null,
            };
            return _lastEpoch > 0;
        }
    }

    private int CountOtherPublishers(string clientId)
    {
        var count = 0;
        foreach (var publisher in _publishers)
        {
            count += publisher.ClientId == clientId ? 0 : 1;
        }

        return count;
    }
}

/// <summary>Whether a connection found a place.</summary>
internal enum ReserveStatus
{
    Reserved,

    /// <summary>The device has as many connections as it may.</summary>
    Full,

    /// <summary>The entry is being forgotten; ask for a new one.</summary>
    Removed,
}
