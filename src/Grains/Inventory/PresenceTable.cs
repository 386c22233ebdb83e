using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;

namespace Muster.Grains.Inventory;

/// <summary>The newest session known of each device of a partition. In memory only; what no gateway repeats, expires.</summary>
internal sealed class PresenceTable
{
    /// <summary>Three full reports of a gateway: one that missed all of them is gone.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(90);

    private readonly Dictionary<(TenantId, DeviceId), (DevicePresence Presence, DateTimeOffset ReportedAt)> _sessions = [];

    /// <summary>Takes a gateway's report. A session older than the one known changes nothing.</summary>
    public void Apply(PresenceReport report, DateTimeOffset now)
    {
        if (report.IsFull)
        {
            EndOthers(report, now);
        }

        foreach (var session in report.Sessions)
        {
            var key = (session.Tenant, session.Device);
            if (_sessions.TryGetValue(key, out var known) && known.Presence.Epoch > session.Epoch)
            {
                continue;
            }

            _sessions[key] = (
                new DevicePresence(
                    session.Connected, session.LastSeenAt, session.Epoch, report.GatewayId, report.Gateway,
                    session.Health ?? known.Presence?.Health),
                now);
        }
    }

    /// <summary>What is known; one that nobody repeated in time counts as disconnected, its epoch stays known.</summary>
    public DevicePresence? Find(TenantId tenant, DeviceId device, DateTimeOffset now)
    {
        if (!_sessions.TryGetValue((tenant, device), out var known))
        {
            return null;
        }

        return known.Presence.Connected && now - known.ReportedAt > Lifetime
            ? known.Presence with { Connected = false, Gateway = null }
            : known.Presence;
    }

    /// <summary>A full report ends the gateway's sessions that it does not name.</summary>
    private void EndOthers(PresenceReport report, DateTimeOffset now)
    {
        var named = report.Sessions.Select(session => (session.Tenant, session.Device)).ToHashSet();
        var ended = _sessions
            .Where(session => session.Value.Presence.GatewayId == report.GatewayId && !named.Contains(session.Key))
            .Select(session => session.Key)
            .ToList();
        foreach (var key in ended)
        {
            _sessions[key] = (_sessions[key].Presence with { Connected = false, Gateway = null }, now);
        }
    }
}
