using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;

namespace Muster.Grains.Inventory;

/// <summary>The newest session known of one device, and when a gateway spoke of it last.</summary>
internal sealed class PresenceEntry
{
    /// <summary>Three full reports of a gateway: one that missed all of them is gone.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(90);

    public required DevicePresence Presence { get; set; }

    public required DateTimeOffset ReportedAt { get; set; }

    /// <summary>When it came or went; a watcher that was away asks what did since.</summary>
    public required DateTimeOffset ChangedAt { get; set; }

    /// <summary>What is known; one that nobody repeated in time counts as disconnected, its epoch stays known.</summary>
    public DevicePresence At(DateTimeOffset now) => Presence.Connected && !IsConnected(now)
        ? Presence with { Connected = false, Gateway = null, Reason = DisconnectReason.GatewayLost }
        : Presence;

    /// <summary>Whether it has a session that was spoken of in time.</summary>
    public bool IsConnected(DateTimeOffset now) => Presence.Connected && now - ReportedAt <= Lifetime;

    /// <summary>The value of a field of <see cref="InventoryFields.Presence"/> at this time.</summary>
    public static FieldValue Field(PresenceEntry? entry, string name, DateTimeOffset now) => DevicePresence.Field(entry?.At(now), name);
}

/// <summary>The sessions of a partition's devices. In memory only; what no gateway repeats, expires.</summary>
/// <param name="attach">Told of each device that is heard of for the first time and, with null, of each that is forgotten.</param>
/// <param name="changed">Told of each device that came or went.</param>
internal sealed class PresenceTable(Action<TenantId, DeviceId, PresenceEntry?> attach, Action<TenantId, DeviceId> changed)
{
    /// <summary>
    /// Devices that are gone are looked for by when they were seen last, so that as many are known as may be away of four million in 256
    /// partitions; those that came once and never again do not take more than some megabytes of a partition for that.
    /// </summary>
    public const int GoneMax = 16_384;

    private readonly Dictionary<(TenantId, DeviceId), PresenceEntry> _sessions = [];
    private DateTimeOffset _nothingExpiresBefore;
    private DateTimeOffset? _forgotAt;

    /// <summary>When <see cref="Expire"/> may have something to do; null while nobody was heard of.</summary>
    public DateTimeOffset? ExpiresFrom => _sessions.Count == 0 ? null : _nothingExpiresBefore;

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
            var known = _sessions.GetValueOrDefault(key);
            if (known is not null && known.Presence.Epoch > session.Epoch)
            {
                continue;
            }

            var presence = new DevicePresence(
                session.Connected, session.LastSeenAt, session.Epoch, report.GatewayId, report.Gateway,
                session.Health ?? known?.Presence.Health)
            {
                Reason = session.Connected ? DisconnectReason.Unspecified : session.Reason,
                LastWill = session.Connected ? null : session.LastWill,
            };
            var wasConnected = known?.At(now).Connected == true;
            if (known is not null)
            {
                (known.Presence, known.ReportedAt) = (presence, now);
            }
            else
            {
                _sessions[key] = known = new PresenceEntry { Presence = presence, ReportedAt = now, ChangedAt = now };
                attach(session.Tenant, session.Device, known);
            }

            if (wasConnected != session.Connected)
            {
                known.ChangedAt = now;
                changed(session.Tenant, session.Device);
            }
        }
    }

    /// <summary>
    /// Ends the sessions that no gateway repeated in time, forgets those that have been over for longest when there are too many of them,
    /// and tells of both. Looks at all only when one may be due.
    /// </summary>
    public void Expire(DateTimeOffset now)
    {
        if (now <= _nothingExpiresBefore)
        {
            return;
        }

        var (oldest, gone) = (now, 0);
        foreach (var (key, entry) in _sessions)
        {
            if (!entry.Presence.Connected)
            {
                gone++;
                continue;
            }

            if (now - entry.ReportedAt > PresenceEntry.Lifetime)
            {
                (entry.Presence, entry.ChangedAt) = (entry.At(now), now);
                changed(key.Item1, key.Item2);
            }
            else if (entry.ReportedAt < oldest)
            {
                oldest = entry.ReportedAt;
            }
        }

        _nothingExpiresBefore = oldest + PresenceEntry.Lifetime;
        Forget(gone - GoneMax, now);
    }

    /// <summary>False when some that came or went at this time or later may be forgotten.</summary>
    public bool KnowsSince(DateTimeOffset since) => _forgotAt is null || _forgotAt < since;

    /// <summary>Devices that came or went at this time or later.</summary>
    public IEnumerable<(TenantId Tenant, DeviceId Device)> ChangedSince(DateTimeOffset since) =>
        _sessions.Where(session => session.Value.ChangedAt >= since).Select(session => session.Key);

    /// <summary>All that are known, open or not.</summary>
    public IEnumerable<(TenantId Tenant, DeviceId Device, PresenceEntry Entry)> Entries =>
        _sessions.Select(session => (session.Key.Item1, session.Key.Item2, session.Value));

    public PresenceEntry? Entry(TenantId tenant, DeviceId device) => _sessions.GetValueOrDefault((tenant, device));

    /// <summary>What is known of a device's session at this time; null when nothing is.</summary>
    public DevicePresence? Find(TenantId tenant, DeviceId device, DateTimeOffset now) => Entry(tenant, device)?.At(now);

    /// <summary>The sessions that are open at this time.</summary>
    public IEnumerable<(TenantId Tenant, DeviceId Device, DevicePresence Session)> Connected(DateTimeOffset now) => _sessions
        .Select(session => (session.Key.Item1, session.Key.Item2, session.Value.At(now)))
        .Where(session => session.Item3.Connected);

    /// <summary>Those that have been gone for longest.</summary>
    private void Forget(int count, DateTimeOffset now)
    {
        if (count <= 0)
        {
            return;
        }

        _forgotAt = now;
        var longest = _sessions.Where(session => !session.Value.Presence.Connected)
            .OrderBy(session => session.Value.ChangedAt)
            .Take(count)
            .Select(session => session.Key)
            .ToArray();
        foreach (var (tenant, device) in longest)
        {
            _sessions.Remove((tenant, device));
            attach(tenant, device, null);
            changed(tenant, device);
        }
    }

    /// <summary>A full report ends the gateway's sessions that it does not name.</summary>
    private void EndOthers(PresenceReport report, DateTimeOffset now)
    {
        var named = report.Sessions.Select(session => (session.Tenant, session.Device)).ToHashSet();
        foreach (var (key, entry) in _sessions)
        {
            if (entry.Presence.GatewayId == report.GatewayId && !named.Contains(key))
            {
                if (!entry.Presence.Connected)
                {
                    continue;
                }

                // How it ended was lost on the way.
                var wasConnected = entry.At(now).Connected;
                entry.Presence = entry.Presence with { Connected = false, Gateway = null, Reason = DisconnectReason.ConnectionLost };
                entry.ReportedAt = now;
                if (wasConnected)
                {
                    entry.ChangedAt = now;
                    changed(key.Item1, key.Item2);
                }
            }
        }
    }
}
