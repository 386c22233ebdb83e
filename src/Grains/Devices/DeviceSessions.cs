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
internal sealed class DeviceSessions(TenantId tenant, DeviceId device, DeviceServices services)
{
    /// <summary>As long as presence lasts: a gateway that died says no goodbye.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(90);

    /// <summary>Gateways tell presence every two seconds: asking more often would hear nothing new.</summary>
    private static readonly TimeSpan AskInterval = TimeSpan.FromSeconds(2);

    private IGatewayObserver? _gateway;
    private long _epoch;
    private bool _isConnected;
    private long _seenAt;
    private long? _askedAt;

    /// <summary>Admits a new receiving session above all that are known; the one before it is told to close.</summary>
    public async Task<long> OpenAsync(IGatewayObserver gateway, long recordEpoch)
    {
        // An activation that knows a session issued its epoch itself, or heard from it since: nobody knows a higher one.
        var presence = _epoch == 0 ? await FindPresenceAsync() : null;
        var epoch = Math.Max(Math.Max(recordEpoch, presence?.Epoch ?? 0), _epoch) + 1;
        var old = _isConnected ? _gateway : presence is { Connected: true } ? presence.Gateway : null;
        Adopt(gateway, epoch);
        if (old is not null)
        {
            await old.CloseAsync(new CloseSession(tenant, device, epoch - 1, All: false, DeviceErrors.SessionTakenOver(device)));
        }

        return epoch;
    }

    /// <summary>Learns from a message which session there is; a refusal when the message comes from one that was taken over.</summary>
    public FleetError? Learn(SessionRef session, long recordEpoch)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (session.Epoch == 0)
        {
            return null;
        }

        if (session.Epoch < _epoch || session.Epoch < recordEpoch)
        {
            return DeviceErrors.SessionTakenOver(device);
        }

        if (session.Epoch > _epoch && session.Gateway is { } gateway)
        {
            Adopt(gateway, session.Epoch);
        }

        _seenAt = services.Clock.GetTimestamp();
        return null;
    }

    /// <summary>A session ended; one that was taken over before has nothing to say.</summary>
    public void Close(SessionRef session)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (session.Epoch >= _epoch && session.Epoch > 0)
        {
            _epoch = session.Epoch;
            _isConnected = false;
            _gateway = null;
        }
    }

    /// <summary>Whether the device can be told something; asks presence when this activation does not know.</summary>
    public async Task<bool> FindAsync(long recordEpoch)
    {
        if (_isConnected && services.Clock.GetElapsedTime(_seenAt) < SilenceMax)
        {
            return true;
        }

        if (_askedAt is { } askedAt && services.Clock.GetElapsedTime(askedAt) < AskInterval)
        {
            return _isConnected;
        }

        _askedAt = services.Clock.GetTimestamp();
        var presence = await FindPresenceAsync();
        if (presence is { Connected: true, Gateway: { } gateway } && presence.Epoch >= Math.Max(_epoch, recordEpoch)
            && (presence.Epoch > _epoch || _isConnected || _epoch == 0))
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
    public Task SendAsync(DownMessage message) => _isConnected && _gateway is { } gateway
        ? gateway.DeliverAsync(new DownDelivery(tenant, device, _epoch, message))
        : Task.CompletedTask;

    /// <summary>Closes every session of a tombstone.</summary>
    public Task CloseAllAsync()
    {
        var gateway = _gateway;
        _isConnected = false;
        _gateway = null;
        return gateway is null
            ? Task.CompletedTask
            : gateway.CloseAsync(new CloseSession(tenant, device, _epoch, All: true, DeviceErrors.Tombstone(device)));
    }

    private Task<DevicePresence?> FindPresenceAsync() => services.Grains
        .GetInventory(services.Partitions.OfDevice(DeviceKey.Of(tenant, device)))
        .FindPresenceAsync(tenant, device);

    private void Adopt(IGatewayObserver gateway, long epoch)
    {
        _gateway = gateway;
        _epoch = epoch;
        _isConnected = true;
        _seenAt = services.Clock.GetTimestamp();
    }
}
