using Muster.Contracts.Devices;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Devices;

/// <summary>
/// The device's receiving session as this activation knows it: volatile. It is learned from admissions, from every message, and from
/// presence; the newest epoch wins (design.md D5).
/// </summary>
internal sealed partial class DeviceGrain
{
    /// <summary>As long as presence lasts: a gateway that died says no goodbye.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(90);

    /// <summary>Gateways tell presence every two seconds: asking more often would hear nothing new.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(2);

    private IGatewayObserver? _gateway;
    private long _sessionEpoch;
    private bool _isConnected;

    /// <summary>
    /// A session that presence did not name, and that did not say either that it ended: after the death of a silo presence is learned anew,
    /// and the device has noticed nothing. It is taken up again as soon as anybody speaks of it.
    /// </summary>
    private bool IsMissed => !_isConnected && _gateway is not null;
    private long _seenAt;
    private long? _askedAt;

    /// <summary>Admits a new receiving session above all that there were; the one before it is told to close.</summary>
    private async Task<long> OpenSessionAsync(IGatewayObserver gateway, long recordEpoch)
    {
        // An activation that knows a session issued its epoch itself, or heard of it since: presence knows none to close.
        var presence = _sessionEpoch == 0 ? await FindPresenceAsync() : null;
        var known = Math.Max(Math.Max(recordEpoch, presence?.Epoch ?? 0), _sessionEpoch);
        var epoch = SessionEpoch.After(known, _services.Clock.GetUtcNow());
        var old = _gateway ?? (presence is { Connected: true } ? presence.Gateway : null);
        Adopt(gateway, epoch);
        if (old is not null)
        {
            await old.CloseAsync(new CloseSession(_tenant, _id, epoch - 1, All: false, DeviceErrors.SessionTakenOver(_id)));
        }

        return epoch;
    }

    /// <summary>Learns from a message which session there is; a refusal when the message comes from one that was taken over.</summary>
    private FleetError? LearnSession(SessionRef session, long recordEpoch)
    {
        if (session.Epoch == 0)
        {
            return null;
        }

        if (session.Epoch < _sessionEpoch || session.Epoch < recordEpoch)
        {
            return DeviceErrors.SessionTakenOver(_id);
        }

        if ((session.Epoch > _sessionEpoch || IsMissed) && session.Gateway is { } gateway)
        {
            Adopt(gateway, session.Epoch);
            ExpectAnswer(FirstPushDelay);
        }

        _seenAt = _services.Clock.GetTimestamp();
        return null;
    }

    /// <summary>A session ended; one that was taken over before has nothing to say.</summary>
    private void EndSession(SessionRef session)
    {
        if (session.Epoch >= _sessionEpoch && session.Epoch > 0)
        {
            _sessionEpoch = session.Epoch;
            _isConnected = false;
            _gateway = null;
        }
    }

    /// <summary>Whether the device can be told something; asks presence when this activation does not know.</summary>
    private async Task<bool> FindSessionAsync(long recordEpoch)
    {
        if (_isConnected && _services.Clock.GetElapsedTime(_seenAt) < SilenceMax)
        {
            return true;
        }

        if (_askedAt is { } askedAt && _services.Clock.GetElapsedTime(askedAt) < AskInterval)
        {
            return _isConnected;
        }

        _askedAt = _services.Clock.GetTimestamp();
        var presence = await FindPresenceAsync();
        if (presence is { Connected: true, Gateway: { } gateway } && presence.Epoch >= Math.Max(_sessionEpoch, recordEpoch)
            && (presence.Epoch > _sessionEpoch || _gateway is not null || _sessionEpoch == 0))
        {
            Adopt(gateway, presence.Epoch);
        }
        else
        {
            _isConnected = false;
        }

        return _isConnected;
    }

    /// <summary>Hands a message to the session, if there is one; it may be lost, the record repeats it.</summary>
    private Task SendAsync(DownMessage message) => _isConnected && _gateway is { } gateway
        ? gateway.DeliverAsync(new DownDelivery(_tenant, _id, _sessionEpoch, message) { Sent = CountSent(message) })
        : Task.CompletedTask;

    /// <summary>Closes every session of a tombstone.</summary>
    private Task CloseSessionsAsync()
    {
        var gateway = _gateway;
        _isConnected = false;
        _gateway = null;
        return gateway is null
            ? Task.CompletedTask
            : gateway.CloseAsync(new CloseSession(_tenant, _id, _sessionEpoch, All: true, DeviceErrors.Tombstone(_id)));
    }

    private Task<DevicePresence?> FindPresenceAsync() => GrainFactory
        .GetInventory(_services.Partitions.OfDevice(DeviceKey.Of(_tenant, _id)))
        .FindPresenceAsync(_tenant, _id);

    private void Adopt(IGatewayObserver gateway, long epoch)
    {
        _gateway = gateway;
        _sessionEpoch = epoch;
        _isConnected = true;
        _seenAt = _services.Clock.GetTimestamp();
    }
}
