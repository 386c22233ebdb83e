using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;

namespace Muster.Gateway.Mqtt;

/// <summary>Whose sessions are told to the partitions: connections of this gateway, or devices behind a shared broker.</summary>
internal interface IPresenceSource
{
    /// <summary>A name of its own: a full report ends what was reported under it before and is not named any more.</summary>
    string GatewayId { get; }

    /// <summary>Where down messages go.</summary>
    IGatewayObserver Observer { get; }

    /// <summary>Changed devices that one tick looks at; the rest waits for the next.</summary>
    int ChangedMax { get; }

    /// <summary>All that have a session now.</summary>
    IEnumerable<IPresentDevice> Present { get; }

    bool TryTakeChanged(out IPresentDevice device);

    /// <summary>What was not heard is told again.</summary>
    void MarkChanged(IPresentDevice device);

    /// <summary>It was told: drops it when there is nothing left to know.</summary>
    void Forget(IPresentDevice device);
}

/// <summary>A device whose session is told.</summary>
internal interface IPresentDevice
{
    int Partition { get; }

    /// <summary>False when there is nothing to say of it.</summary>
    bool TryTakePresence(bool clearDirty, out SessionPresence presence);
}

/// <summary>The connections of this gateway.</summary>
internal sealed class SessionPresenceSource(SessionRegistry registry, GatewayReference reference) : IPresenceSource
{
    public string GatewayId => registry.GatewayId;

    public IGatewayObserver Observer => reference.Value;

    public int ChangedMax => registry.Connections * 2 + PresenceReport.SessionsMax;

    public IEnumerable<IPresentDevice> Present => registry.Devices.Where(device => device.IsReceiving);

    public bool TryTakeChanged(out IPresentDevice device)
    {
        var isTaken = registry.TryTakeChanged(out var changed);
        device = changed;
        return isTaken;
    }

    public void MarkChanged(IPresentDevice device) => registry.MarkChanged((DeviceSessions)device, null);

    public void Forget(IPresentDevice device) => registry.Forget((DeviceSessions)device);
}
